// A stop and a continuation interrupt epoll_wait and sigtimedwait, but not read, poll, nanosleep
// and futex: as untraced.
//
// processes: 7
// output: read 1 0
// output: poll 0 0
// output: nanosleep 0 0
// output: epoll_wait -1 4
// output: sigtimedwait -1 4
// output: futex -1 110
// varies: all
#include "../tracee.h"
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>

static int ends[2];
static const struct timespec while_ = { 0, 600000000 };
// Longer than any wait here lasts: a slow machine must reach the stop before it.
static const struct timespec long_while = { 60, 0 };

static long calls_read(void) { char byte; return read(ends[0], &byte, 1); }
static long calls_poll(void) { return poll(0, 0, 600); }
static long calls_nanosleep(void) { return nanosleep(&while_, 0); }
static long calls_epoll_wait(void) {
	struct epoll_event event;
	return epoll_wait(epoll_create1(0), &event, 1, long_while.tv_sec * 1000);
}
static long calls_sigtimedwait(void) {
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	sigprocmask(SIG_BLOCK, &one, 0);
	return sigtimedwait(&one, 0, &long_while);
}
static long calls_futex(void) {
	int word = 0;
	return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &while_, 0, 0);
}

int main(void) {
	struct { const char *name; long (*call)(void); } calls[] = {
		{ "read", calls_read }, { "poll", calls_poll }, { "nanosleep", calls_nanosleep },
		{ "epoll_wait", calls_epoll_wait }, { "sigtimedwait", calls_sigtimedwait }, { "futex", calls_futex },
	};
	must(!pipe(ends));
	for (int i = 0; i < 6; i++) {
		pid_t child = born();
		if (!child) {
			errno = 0;
			long result = calls[i].call();
			dprintf(1, "%s %ld %d\n", calls[i].name, result, errno);
			_exit(3);
		}
		until_asleep(child);
		int status;
		kill(child, SIGSTOP);
		must(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
		kill(child, SIGCONT);
		nap(20);
		must(write(ends[1], "x", 1) == 1);
		leaves(child, 3);
	}
}
