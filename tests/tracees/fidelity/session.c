// Sessions, process groups and parents are those that the program made.
//
// processes: 3
// calls: setsid 1
#include "../tracee.h"

int main(void) {
	pid_t self = getpid(), child = born();
	if (!child) {
		must(getppid() == self && setsid() == getpid() && getpgrp() == getpid() && getsid(0) == getpid());
		pid_t grandchild = born();
		if (!grandchild) {
			must(getsid(0) == getppid() && getpgid(0) == getppid());
			_exit(4);
		}
		leaves(grandchild, 4);
		_exit(3);
	}
	leaves(child, 3);
}
