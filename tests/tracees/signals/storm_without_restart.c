// Two hundred signals without SA_RESTART, each sent after the last one has interrupted the reader:
// EINTR two hundred times.
//
// processes: 2
// calls: getppid 200
// varies: sched_yield, openat, read, close, clock_nanosleep
#include "../tracee.h"

static void handle(int number) {
	(void)number;
	mark();
}

int main(void) {
	int ends[2];
	volatile int *interrupted = shared(sizeof *interrupted);
	must(!pipe(ends));
	pid_t child = born();
	if (!child) {
		struct sigaction action = { .sa_handler = handle };
		sigaction(SIGUSR1, &action, 0);
		*interrupted = 1;
		char byte;
		while (read(ends[0], &byte, 1) == -1) {
			must(errno == EINTR);
			++*interrupted;
		}
		_exit(*interrupted == 201 ? 3 : 4);
	}
	while (!*interrupted) nap(1);
	for (int i = 1; i <= 200; i++) {
		until_asleep(child);
		kill(child, SIGUSR1);
		while (*interrupted == i) sched_yield();
	}
	must(write(ends[1], "x", 1) == 1);
	leaves(child, 3);
}
