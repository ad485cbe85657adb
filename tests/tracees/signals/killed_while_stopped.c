// SIGKILL ends a stopped process at once.
//
// processes: 2
// killed: SIGKILL 1
#include "../tracee.h"

int main(void) {
	pid_t child = born();
	if (!child) {
		kill(getpid(), SIGSTOP);
		_exit(1);
	}
	int status;
	must(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	kill(child, SIGKILL);
	dies(child, SIGKILL);
}
