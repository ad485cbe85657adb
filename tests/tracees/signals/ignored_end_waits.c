// The kernel drops an ignored signal unless the task is traced (sig_ignored(), kernel/signal.c).
// When traced, a wait that is never restarted ends with EINTR, under strace too.
//
// exit: 3
// untraced: 0
// processes: 2
// calls: epoll_pwait 1 errors 1
// varies: openat, read, close, epoll_pwait, clock_nanosleep
#include "../tracee.h"
#include <sys/epoll.h>

int main(void) {
	signal(SIGUSR1, SIG_IGN);
	pid_t waiting = getpid();
	if (!born()) {
		until_asleep(waiting);
		must(!kill(waiting, SIGUSR1));
		_exit(0);
	}
	// SIGCHLD is ignored by default and must not interrupt the wait.
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	must(!sigprocmask(SIG_BLOCK, &set, 0));
	struct epoll_event event;
	int ready = epoll_pwait(epoll_create1(0), &event, 1, 500, 0);
	must(!ready || errno == EINTR);
	return ready ? 3 : 0;
}
