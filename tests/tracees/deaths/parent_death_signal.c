// A child that asked for SIGUSR1 at its parent's death gets it then, and not before.
//
// processes: 3
// calls: getppid 1
// varies: clock_nanosleep, wait4
#include "../tracee.h"

static volatile int *told;
static void tell(int number) { *told = number; }

int main(void) {
	told = shared(sizeof *told);
	must(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t parent = born();
	if (!parent) {
		sigset_t one;
		sigemptyset(&one);
		sigaddset(&one, SIGUSR1);
		sigprocmask(SIG_BLOCK, &one, 0);
		if (!born()) {
			signal(SIGUSR1, tell);
			must(!prctl(PR_SET_PDEATHSIG, SIGUSR1));
			sigset_t none;
			sigemptyset(&none);
			*told = -1;
			sigsuspend(&none);
			mark();
			_exit(*told == SIGUSR1 ? 4 : 5);
		}
		while (!*told) nap(5);
		nap(20);
		_exit(*told == -1 ? 3 : 6);
	}
	leaves(parent, 3);
	int status;
	must(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 4);
}
