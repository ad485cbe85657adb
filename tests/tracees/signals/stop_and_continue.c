// A parent sees each stop of its child (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU) and each continuation; stopped, the child does nothing.
//
// exit: 0
// processes: 2
// calls: getppid 5
// varies: wait4
#include "../tracee.h"

static void ignored(int number) { (void)number; }

int main(void) {
	int stops[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };
	volatile int *progress = shared(sizeof *progress);
	pid_t child = born();
	if (!child) {
		// A group whose parent is in another one of the session: orphaned groups ignore these stops.
		must(!setpgid(0, 0));
		signal(SIGCONT, ignored);
		for (int i = 0; i < 4; i++) {
			mark();
			kill(getpid(), stops[i]);
			++*progress;
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
	}
	leaves(child, 11);
}
