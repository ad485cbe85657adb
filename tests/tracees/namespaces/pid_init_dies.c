// The first process of a pid namespace ends, and with it everybody there.
//
// processes: 12
// calls: getppid 11
// needs: user namespaces
// varies: pause, wait4
#include "../tracee.h"

int main(void) {
	pid_t first = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	must(first >= 0);
	if (!first) {
		for (int i = 0; i < 10; i++) {
			if (!born()) {
				mark();
				for (;;) pause();
			}
		}
		nap(50);
		mark();
		_exit(5);
	}
	leaves(first, 5);
}
