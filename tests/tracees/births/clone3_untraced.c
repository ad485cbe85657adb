// A child made by clone3 with CLONE_UNTRACED in its flags, which lie in memory. The flags are
// unchanged afterwards, in parent and child, also in read-only memory.
//
// processes: 3
// calls: getppid 2, clone3 2
// strace: blind to the child
#include "../tracee.h"

static const struct clone_args unwritable = { .flags = CLONE_UNTRACED, .exit_signal = SIGCHLD };

static void make(const struct clone_args *wanted) {
	pid_t child = syscall(SYS_clone3, wanted, sizeof *wanted);
	must(child >= 0);
	must(*(volatile unsigned long long *)&wanted->flags == CLONE_UNTRACED);
	if (!child) {
		mark();
		_exit(3);
	}
	leaves(child, 3);
}

int main(void) {
	struct clone_args writable = unwritable;
	make(&writable);
	make(&unwritable);
}
