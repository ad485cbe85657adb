// Every way to wait: WNOHANG without an exited child, WNOWAIT, by group, any child, no child left.
//
// processes: 4
// varies: clone, wait4
#include "../tracee.h"

int main(void) {
	int hold[2];
	must(!pipe(hold));
	pid_t first = born();
	if (!first) {
		char byte;
		close(hold[1]);
		_exit(read(hold[0], &byte, 1) ? 1 : 6);
	}
	siginfo_t end = { 0 };
	must(waitpid(first, 0, WNOHANG) == 0);
	close(hold[1]);
	must(!waitid(P_PID, first, &end, WEXITED | WNOWAIT) && end.si_status == 6 && end.si_code == CLD_EXITED);
	leaves(first, 6);
	must(waitpid(first, 0, 0) == -1 && errno == ECHILD);
	for (int i = 0; i < 2; i++) {
		if (!born()) {
			setpgid(0, 0);
			_exit(0);
		}
	}
	must(wait(0) > 0 && wait(0) > 0 && wait(0) == -1 && errno == ECHILD);
}
