// Signals that only the mask of a wait lets in (sigsuspend, ppoll), and a signal read from a
// signalfd.
//
// processes: 2
// calls: getppid 2
// varies: kill
#include "../tracee.h"
#include <poll.h>
#include <sys/signalfd.h>

static void handle(int number) {
	(void)number;
	mark();
}

int main(void) {
	sigset_t all, none;
	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &all, 0);
	signal(SIGUSR1, handle);
	kill(getpid(), SIGUSR1);
	must(sigsuspend(&none) == -1 && errno == EINTR);
	pid_t parent = getpid(), child = born();
	if (!child) {
		nap(30);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	sigdelset(&all, SIGUSR1);
	must(ppoll(0, 0, 0, &all) == -1 && errno == EINTR);
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	int file = signalfd(-1, &one, 0);
	kill(getpid(), SIGUSR2);
	struct signalfd_siginfo from;
	must(read(file, &from, sizeof from) == sizeof from && from.ssi_signo == SIGUSR2 && from.ssi_pid == (unsigned)getpid());
	leaves(child, 0);
}
