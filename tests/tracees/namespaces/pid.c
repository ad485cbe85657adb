// A child is number 1 of a PID namespace, with children and a thread there. Their numbers differ
// from those that the tracer sees.
//
// processes: 4
// threads: 5
// calls: getppid 4
// needs: user namespaces
// varies: futex, munmap
#include "../tracee.h"

static void *marks_once(void *nothing) {
	mark();
	return nothing;
}

int main(void) {
	pid_t first = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	must(first >= 0);
	if (!first) {
		must(getpid() == 1);
		mark();
		for (int i = 2; i < 4; i++) {
			pid_t child = born();
			if (!child) {
				must(getpid() == i);
				mark();
				_exit(i);
			}
			leaves(child, i);
		}
		pthread_join(thread(marks_once, 0), 0);
		_exit(5);
	}
	leaves(first, 5);
}
