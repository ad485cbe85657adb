// A grandchild that outlives its parent becomes a child of the subreaper, which sees it exit.
//
// processes: 3
// calls: getppid 1
// varies: wait4, clone
#include "../tracee.h"

int main(void) {
	must(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t child = born();
	if (!child) {
		if (born()) _exit(1);
		nap(100);
		mark();
		_exit(2);
	}
	leaves(child, 1);
	int status;
	must(wait(&status) > 0 && WEXITSTATUS(status) == 2);
}
