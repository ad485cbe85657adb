// Forty processes that only fork are killed while they fork. Their children are resumed and exit by
// themselves.
//
// processes: any
// killed: SIGKILL 40
// varies: all
#include "../tracee.h"

int main(void) {
	for (int i = 0; i < 40; i++) {
		pid_t child = born();
		if (!child) {
			signal(SIGCHLD, SIG_IGN);
			// More turns than any run needs; bounded in case the killer has died.
			for (int n = 0; n < 100000; n++) if (!syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) _exit(0);
			_exit(1);
		}
		usleep(500 + i * 131);
		kill(child, SIGKILL);
		dies(child, SIGKILL);
	}
}
