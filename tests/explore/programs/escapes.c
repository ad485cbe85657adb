// Once a call fails, leaves a daemon and signals its tracer and every process. SIGWINCH is ignored
// by default: signal(7).
#include "../../tracees/tracee.h"

static void signal_process(pid_t process) {
	errno = 0;
	int result = kill(process, SIGWINCH);
	dprintf(1, "%d %d\n", result, errno);
}

int main(void) {
	errno = 0;
	mark();
	if (!errno) return 0;
	pid_t tracer = syscall(SYS_getppid);
	if (!fork()) {
		setsid();
		if (!fork()) {
			for (int fd = 0; fd < 64; fd++) close(fd);
			for (;;) pause();
		}
		_exit(0);
	}
	wait(NULL);
	signal_process(tracer);
	signal_process(-1);
	signal_process(0);
	return 0;
}
