// A child that is number 1 in a pid namespace, with children and a thread of its own there; their numbers are not those the tracer knows.
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
