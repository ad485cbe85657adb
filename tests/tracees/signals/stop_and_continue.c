// A parent sees each stop of its child (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU) and each continuation;
// the stopped child does nothing.
//
// exit: 0
// processes: 2
// calls: getppid 5
// varies: wait4, clock_nanosleep
#include "../tracee.h"

static void ignored(int number) { (void)number; }

int main(void) {
	int stops[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };
	volatile int *progress = shared(4096), *reported = progress + 1;
	pid_t child = born();
	if (!child) {
		// The group's parent is in another group of the session: orphaned groups ignore these
		// stops.
		must(!setpgid(0, 0));
		signal(SIGCONT, ignored);
		for (int i = 0; i < 4; i++) {
			mark();
			kill(getpid(), stops[i]);
			++*progress;
			// A stop before the parent has waited would replace the report of the continuation.
			while (*reported == i) nap(1);
		}
		mark();
		_exit(11);
	}
	for (int i = 0; i < 4; i++) {
		int status;
		must(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == stops[i]);
		nap(20);
		must(*progress == i);
		must(waitpid(child, &status, WUNTRACED | WNOHANG) == 0);
		kill(child, SIGCONT);
		must(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
		++*reported;
	}
	leaves(child, 11);
}
