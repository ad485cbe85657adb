// Children made by clone with SIGCHLD, with another exit signal, and with none.
//
// processes: 4
// calls: getppid 3, clone 3
#include "../tracee.h"

static volatile sig_atomic_t ends;
static void count(int signal) { ends += signal == SIGUSR1; }

int main(void) {
	signal(SIGUSR1, count);
	int at_its_end[] = { SIGCHLD, SIGUSR1, 0 };
	for (int i = 0; i < 3; i++) {
		pid_t child = syscall(SYS_clone, at_its_end[i], 0, 0, 0, 0);
		if (!child) {
			mark();
			_exit(i);
		}
		int status;
		while (waitpid(child, &status, __WALL) < 0) must(errno == EINTR);
		must(WEXITSTATUS(status) == i);
	}
	must(ends == 1);
}
