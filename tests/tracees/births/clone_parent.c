// A child makes a sibling by CLONE_PARENT; their parent waits for both.
//
// processes: 3
// calls: getppid 1
// varies: wait4, clone
#include "../tracee.h"

int main(void) {
	pid_t *sibling = shared(sizeof *sibling);
	pid_t child = born();
	if (!child) {
		pid_t made = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
		if (!made) {
			mark();
			_exit(4);
		}
		*sibling = made;
		_exit(3);
	}
	leaves(child, 3);
	leaves(*sibling, 4);
	must(wait(0) == -1 && errno == ECHILD);
}
