// The flags of clone3 lie in memory that only its own process can read. A stop announces the child,
// so it is not hidden.
//
// blind: unanswerable
// processes: 2
// calls: clone3 1, getppid 1
// needs: secret memory
#include "../tracee.h"
#include "secret.h"

int main(void) {
	struct clone_args *wanted = secret();
	wanted->exit_signal = SIGCHLD;
	pid_t child = syscall(SYS_clone3, wanted, sizeof *wanted);
	must(child >= 0);
	if (!child) {
		mark();
		_exit(3);
	}
	leaves(child, 3);
}
