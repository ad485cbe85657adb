// Forty processes that do nothing but fork are killed in the midst of it; whoever they have made is let go and leaves by itself.
//
// processes: any
// varies: all
#include "../tracee.h"

int main(void) {
	for (int i = 0; i < 40; i++) {
		pid_t child = born();
		if (!child) {
			signal(SIGCHLD, SIG_IGN);
			// Long enough for any, and ended if nobody is left to kill it.
			for (int n = 0; n < 100000; n++) if (!syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) _exit(0);
			_exit(1);
		}
		usleep(500 + i * 131);
		kill(child, SIGKILL);
		dies(child, SIGKILL);
	}
}
