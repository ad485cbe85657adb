// A signal interrupts a read twice: the kernel restarts it. Then the read gets its bytes.
#include "call.h"

static void handle(int number) { (void)number; }

int main(void) {
	struct sigaction action = { .sa_handler = handle, .sa_flags = SA_RESTART };
	must(!sigaction(SIGUSR1, &action, 0));
	int pair[2];
	must(!pipe(pair));
	pid_t reader = getpid();
	pid_t child = born();
	if (!child) {
		for (int i = 0; i < 2; i++) {
			until_asleep(reader);
			must(!kill(reader, SIGUSR1));
			nap(20);
		}
		until_asleep(reader);
		must(write(pair[1], "12345678", 8) == 8);
		_exit(0);
	}
	char buffer[8];
	CALL(read, pair[0], buffer, 8, 0, 0);
	leaves(child, 0);
	print();
}
