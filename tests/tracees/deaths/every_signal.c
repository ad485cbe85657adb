// A child dies of each signal that kills by default, the program itself of SIGABRT. Its parent sees
// the right signal each time.
//
// exit: SIGABRT
// processes: 55
// calls: getppid 54
// varies: clone, wait4
#include "../tracee.h"

int main(void) {
	for (int number = 1; number <= 64; number++) {
		switch (number) {
		case SIGCHLD: case SIGCONT: case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU: case SIGURG: case SIGWINCH: continue;
		case 32: case 33: continue; // The C library's own.
		}
		pid_t child = born();
		if (!child) {
			mark();
			syscall(SYS_kill, getpid(), number);
			_exit(1);
		}
		dies(child, number);
	}
	abort();
}
