// A child dies of each signal that kills by default, the program itself of SIGABRT. Its parent sees
// the right signal each time.
//
// exit: SIGABRT
// processes: 55
// killed: SIGHUP 1, SIGINT 1, SIGQUIT 1, SIGILL 1, SIGTRAP 1, SIGABRT 1, SIGBUS 1, SIGFPE 1, SIGKILL 1, SIGUSR1 1, SIGSEGV 1, SIGUSR2 1, SIGPIPE 1, SIGALRM 1, SIGTERM 1, SIGSTKFLT 1, SIGXCPU 1, SIGXFSZ 1, SIGVTALRM 1, SIGPROF 1, SIGIO 1, SIGPWR 1, SIGSYS 1
// killed: SIGRTMIN 1, SIGRTMIN+1 1, SIGRTMIN+2 1, SIGRTMIN+3 1, SIGRTMIN+4 1, SIGRTMIN+5 1, SIGRTMIN+6 1, SIGRTMIN+7 1, SIGRTMIN+8 1, SIGRTMIN+9 1, SIGRTMIN+10 1, SIGRTMIN+11 1, SIGRTMIN+12 1, SIGRTMIN+13 1, SIGRTMIN+14 1, SIGRTMIN+15 1, SIGRTMIN+16 1, SIGRTMIN+17 1, SIGRTMIN+18 1, SIGRTMIN+19 1, SIGRTMIN+20 1, SIGRTMIN+21 1, SIGRTMIN+22 1, SIGRTMIN+23 1, SIGRTMIN+24 1, SIGRTMIN+25 1, SIGRTMIN+26 1, SIGRTMIN+27 1, SIGRTMIN+28 1, SIGRTMIN+29 1, SIGRTMIN+30 1
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
