// A call from a signal's handler: below it are the kernel's frame, and the function that was interrupted.
//
// calls: getppid 1
// stack: getppid < handles at 9 < strikes at 14 < main at 20
#include "../tracee.h"

static void handles(int signal) {
	// Not its last act.
	must(getppid() >= 0);
	(void)signal;
}

static __attribute__((noinline)) int strikes(int signal) {
	return raise(signal) + 1;
}

int main(void) {
	must(signal(SIGUSR1, handles) != SIG_ERR);
	// Not its last act either.
	return strikes(SIGUSR1) - 1;
}
