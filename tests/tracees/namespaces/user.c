// A process in its own user namespace, where it is root.
//
// processes: 2
// calls: getppid 1, unshare 1
// needs: user namespaces
#include "../tracee.h"

int main(void) {
	pid_t child = born();
	if (!child) {
		must(!unshare(CLONE_NEWUSER));
		mark();
		must(prctl(PR_CAPBSET_READ, 0) == 1);
		_exit(3);
	}
	leaves(child, 3);
}
