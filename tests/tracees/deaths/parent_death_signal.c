// A child that asked for SIGUSR1 at its parent's death gets it then, and not before.
//
// processes: 3
// calls: getppid 1
// varies: clock_nanosleep, wait4
#include "../tracee.h"

static volatile int *received;
static void store(int number) { *received = number; }

int main(void) {
	received = shared(sizeof *received);
	must(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t parent = born();
	if (!parent) {
		sigset_t one;
		sigemptyset(&one);
		sigaddset(&one, SIGUSR1);
		sigprocmask(SIG_BLOCK, &one, 0);
		if (!born()) {
			signal(SIGUSR1, store);
			must(!prctl(PR_SET_PDEATHSIG, SIGUSR1));
			sigset_t none;
			sigemptyset(&none);
			*received = -1;
			sigsuspend(&none);
			mark();
			_exit(*received == SIGUSR1 ? 4 : 5);
		}
		while (!*received) nap(5);
		nap(20);
		_exit(*received == -1 ? 3 : 6);
	}
	leaves(parent, 3);
	int status;
	must(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 4);
}
