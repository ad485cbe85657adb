// A child made by clone3 with a pidfd; the parent waits for it by the pidfd.
//
// processes: 2
// calls: getppid 1, clone3 2 errors 1, waitid 1
#include "../tracee.h"

int main(void) {
	int pidfd = -1;
	struct clone_args wanted = { .flags = CLONE_PIDFD, .pidfd = (unsigned long)&pidfd, .exit_signal = SIGCHLD };
	must(syscall(SYS_clone3, &wanted, 1) == -1 && errno == EINVAL);
	pid_t child = syscall(SYS_clone3, &wanted, sizeof wanted);
	if (!child) {
		mark();
		_exit(9);
	}
	siginfo_t end;
	must(pidfd >= 0 && !waitid(P_PIDFD, pidfd, &end, WEXITED) && end.si_status == 9 && end.si_pid == child);
}
