// Every kind of namespace at once, by unshare.
//
// processes: 3
// calls: getppid 1, unshare 1
// needs: user namespaces
#include "../tracee.h"

int main(void) {
	pid_t child = born();
	if (!child) {
		must(!unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP));
		pid_t first = born();
		if (!first) {
			must(getpid() == 1);
			mark();
			_exit(4);
		}
		leaves(first, 4);
		_exit(3);
	}
	leaves(child, 3);
}
