// The siginfo of a signal is unchanged: sender, code, value; also for the end, stop and
// continuation of a child.
//
// processes: 2
// varies: rt_sigtimedwait, wait4
#include "../tracee.h"

static siginfo_t next(int number) {
	sigset_t one;
	siginfo_t from;
	sigemptyset(&one);
	sigaddset(&one, number);
	while (sigwaitinfo(&one, &from) != number) must(errno == EINTR);
	return from;
}

int main(void) {
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, 0);
	sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = 4711 });
	siginfo_t from = next(SIGRTMIN + 3);
	must(from.si_code == SI_QUEUE && from.si_value.sival_int == 4711 && from.si_pid == getpid() && from.si_uid == getuid());
	kill(getpid(), SIGUSR1);
	must(next(SIGUSR1).si_code == SI_USER);

	pid_t child = born();
	if (!child) {
		raise(SIGSTOP);
		_exit(9);
	}
	from = next(SIGCHLD);
	must(from.si_code == CLD_STOPPED && from.si_pid == child && from.si_status == SIGSTOP);
	kill(child, SIGCONT);
	from = next(SIGCHLD);
	if (from.si_code == CLD_CONTINUED) {
		must(from.si_pid == child && from.si_status == SIGCONT);
		if (waitpid(child, 0, WNOHANG) == 0) from = next(SIGCHLD);
		else return 0;
	}
	must(from.si_code == CLD_EXITED && from.si_pid == child && from.si_status == 9);
}
