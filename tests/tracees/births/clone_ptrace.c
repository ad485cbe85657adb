// Children made with CLONE_PTRACE, with and without CLONE_UNTRACED. The kernel would attach them to
// their parent's tracer without an event.
//
// processes: 3
// calls: getppid 2, clone 2
// strace: hangs
#include "../tracee.h"

int main(void) {
	int flags[] = { CLONE_PTRACE, CLONE_PTRACE | CLONE_UNTRACED };
	for (int i = 0; i < 2; i++) {
		pid_t child = syscall(SYS_clone, flags[i] | SIGCHLD, 0, 0, 0, 0);
		if (!child) {
			mark();
			_exit(4);
		}
		leaves(child, 4);
	}
}
