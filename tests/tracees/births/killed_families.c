// Thirty process groups in which every process forks are killed as a whole. Each child born at that
// moment is counted.
//
// processes: any
// killed: any
// varies: all
#include "../tracee.h"

int main(void) {
	for (int i = 0; i < 30; i++) {
		pid_t child = born();
		if (!child) {
			setpgid(0, 0);
			signal(SIGCHLD, SIG_IGN);
			for (int n = 0; n < 3 && born(); n++) { }
			for (;;) if (!syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) _exit(0);
		}
		must(!setpgid(child, child));
		usleep(1000 + i * 131);
		must(!kill(-child, SIGKILL));
		dies(child, SIGKILL);
	}
}
