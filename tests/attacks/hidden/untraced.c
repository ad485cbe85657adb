// A process that is not dumpable asks clone3 for an untraced child, which opens a socket: a tracer
// without privileges must clear the flag in its memory.
//
// new: network::socket
// user: ordinary
#include "../attack.h"

static void attack(const char *variant) {
	(void)variant;
	must(!prctl(PR_SET_DUMPABLE, fresh ? 0 : 1, 0, 0, 0));
	struct clone_args wanted = { .flags = fresh ? CLONE_UNTRACED : 0, .exit_signal = SIGCHLD };
	pid_t child = syscall(SYS_clone3, &wanted, sizeof wanted);
	must(child >= 0);
	if (!child) {
		// An untraced child must not outlive the trial.
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (fresh) must(socket(AF_INET, SOCK_STREAM, 0) >= 0);
		_exit(0);
	}
	leaves(child);
}
