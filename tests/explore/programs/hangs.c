// Waits forever once a call fails, with children of its own in the same state. Prints its scratch
// directory.
#include "../../tracees/tracee.h"

int main(void) {
	dprintf(1, "%s\n", getenv("HOME"));
	errno = 0;
	mark();
	if (!errno) return 0;
	for (int i = 0; i < 3; i++) {
		if (!fork()) {
			if (i == 1) setsid();
			if (i == 2) {
				signal(SIGTERM, SIG_IGN);
				signal(SIGINT, SIG_IGN);
				if (fork()) for (;;) syscall(SYS_sched_yield);
			}
			for (;;) pause();
		}
	}
	must(open("left", O_CREAT | O_WRONLY, 0) >= 0);
	for (;;) pause();
}
