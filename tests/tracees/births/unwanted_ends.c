// SIGCHLD is ignored, so children leave no zombies and a wait blocks until the last child has
// exited.
//
// processes: 11
// calls: getppid 10
// varies: clone, wait4
#include "../tracee.h"

int main(void) {
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 10; i++) {
		if (!born()) {
			mark();
			_exit(i);
		}
	}
	must(wait(0) == -1 && errno == ECHILD);
}
