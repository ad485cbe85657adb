// Strict mode allows read, write and exit; any other call kills the task.
//
// processes: 3
// killed: SIGKILL 1
// calls: getppid 1, write 1, exit 1
// output: strict
#include "filter.h"

int main(void) {
	pid_t good = born();
	if (!good) {
		must(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		if (write(1, "strict\n", 7)) { }
		syscall(SYS_exit, 4);
	}
	leaves(good, 4);
	pid_t bad = born();
	if (!bad) {
		must(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		mark();
	}
	dies(bad, SIGKILL);
}
