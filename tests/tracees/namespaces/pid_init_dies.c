// The init process of a PID namespace exits; every other process there is killed.
//
// processes: 12
// killed: SIGKILL 10
// calls: getppid 11
// needs: user namespaces
// varies: pause, clock_nanosleep, wait4
#include "../tracee.h"

int main(void) {
	pid_t first = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	must(first >= 0);
	if (!first) {
		volatile int *ready = shared(sizeof *ready);
		for (int i = 0; i < 10; i++) {
			if (!born()) {
				mark();
				__atomic_fetch_add(ready, 1, __ATOMIC_SEQ_CST);
				for (;;) pause();
			}
		}
		while (*ready < 10) nap(1);
		mark();
		_exit(5);
	}
	leaves(first, 5);
}
