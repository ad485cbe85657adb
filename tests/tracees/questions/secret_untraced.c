// CLONE_UNTRACED lies in memory that only its own process can read: the flag can be neither seen
// nor cleared, and no stop announces the child. It is attached once its number is known, unless it
// has ended.
//
// processes: any
// blind: unanswerable, untraced_child
// calls: clone3 1
// strace: blind to the child
// needs: secret memory
#include "../tracee.h"
#include "secret.h"

int main(void) {
	struct clone_args *wanted = secret();
	wanted->flags = CLONE_UNTRACED;
	wanted->exit_signal = SIGCHLD;
	pid_t child = syscall(SYS_clone3, wanted, sizeof *wanted);
	must(child >= 0);
	if (!child)
		_exit(3);
	leaves(child, 3);
}
