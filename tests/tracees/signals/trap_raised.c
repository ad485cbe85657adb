// SIGTRAP is an ordinary signal: handled three times, blocked and fetched once, ignored once, and
// finally fatal.
//
// exit: SIGTRAP
// calls: getppid 4
#include "../tracee.h"

static volatile int handled;
static void handle(int number) {
	must(number == SIGTRAP);
	handled++;
	mark();
}

int main(void) {
	signal(SIGTRAP, handle);
	for (int i = 0; i < 3; i++) raise(SIGTRAP);
	must(handled == 3);

	sigset_t trap, pending;
	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	sigprocmask(SIG_BLOCK, &trap, 0);
	raise(SIGTRAP);
	mark();
	must(!sigpending(&pending) && sigismember(&pending, SIGTRAP) && handled == 3);
	siginfo_t from;
	must(sigwaitinfo(&trap, &from) == SIGTRAP && from.si_pid == getpid() && handled == 3);
	sigprocmask(SIG_UNBLOCK, &trap, 0);

	signal(SIGTRAP, SIG_IGN);
	raise(SIGTRAP);
	signal(SIGTRAP, SIG_DFL);
	raise(SIGTRAP);
	_exit(1);
}
