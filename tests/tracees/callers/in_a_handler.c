// A call in a signal handler: below it are the kernel's signal frame and the interrupted function.
//
// calls: getppid 1
// stack: getppid < handles at 9 < strikes at 14 < main at 20
#include "../tracee.h"

static void handles(int signal) {
	// Prevents a tail call.
	must(getppid() >= 0);
	(void)signal;
}

static __attribute__((noinline)) int strikes(int signal) {
	return raise(signal) + 1;
}

int main(void) {
	must(signal(SIGUSR1, handles) != SIG_ERR);
	// Prevents a tail call.
	return strikes(SIGUSR1) - 1;
}
