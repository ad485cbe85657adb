// A child is stopped and continued five hundred times while it makes ten thousand calls: none is
// lost or counted twice.
//
// processes: 2
// calls: getppid 10000, kill 1000
// varies: wait4, clock_nanosleep, restart_syscall
#include "../tracee.h"

int main(void) {
	pid_t child = born();
	if (!child) {
		for (int i = 0; i < 10000; i++) {
			must(syscall(SYS_getppid) > 0);
			if (i % 100 == 0) sched_yield();
		}
		_exit(3);
	}
	int status = 0;
	for (int i = 0; i < 500; i++) {
		kill(child, SIGSTOP);
		if (i % 2) usleep(50);
		kill(child, SIGCONT);
	}
	must(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3);
}
