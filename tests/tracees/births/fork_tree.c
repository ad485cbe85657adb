// A tree of processes four levels deep, each parent waiting for its two children.
//
// processes: 31
// calls: getppid 31
// varies: wait4, fork
#include "../tracee.h"

static pid_t forked(void) {
#ifdef SYS_fork
	return syscall(SYS_fork);
#else
	return born();
#endif
}

static void grow(int levels) {
	mark();
	for (int branch = 0; levels && branch < 2; branch++) {
		pid_t child = forked();
		if (!child) {
			grow(levels - 1);
			_exit(0);
		}
		leaves(child, 0);
	}
}

int main(void) { grow(4); }
