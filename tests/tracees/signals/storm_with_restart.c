// A thousand queued signals with SA_RESTART, each with its own value: a reader gets all of them and
// never EINTR.
//
// processes: 2
// calls: getppid 1000
// varies: read, clock_nanosleep, rt_sigqueueinfo
#include "../tracee.h"

static volatile int sum;
static void add(int number, siginfo_t *from, void *context) {
	(void)number, (void)context;
	mark();
	sum += from->si_value.sival_int;
}

int main(void) {
	int ends[2], ready[2];
	must(!pipe(ends) && !pipe(ready));
	pid_t child = born();
	if (!child) {
		struct sigaction action = { .sa_sigaction = add, .sa_flags = SA_SIGINFO | SA_RESTART };
		sigaction(SIGRTMIN, &action, 0);
		must(write(ready[1], "r", 1) == 1);
		char byte;
		must(read(ends[0], &byte, 1) == 1);
		must(sum == 500500);
		_exit(3);
	}
	char byte;
	must(read(ready[0], &byte, 1) == 1);
	for (int i = 1; i <= 1000; i++) {
		while (sigqueue(child, SIGRTMIN, (union sigval){ .sival_int = i })) {
			must(errno == EAGAIN);
			nap(1);
		}
	}
	must(write(ends[1], "x", 1) == 1);
	leaves(child, 3);
}
