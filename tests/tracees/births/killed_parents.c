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
			for (;;) if (!syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) _exit(0);
		}
		usleep(500 + i * 131);
		kill(child, SIGKILL);
		dies(child, SIGKILL);
	}
}
