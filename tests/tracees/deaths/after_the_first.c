// A child crashes after the first process has ended, and another one outlives it for too long:
// sysguard kills that one, and does not count its end.
//
// processes: 3
// killed: SIGSEGV 1
// varies: all
#include "../tracee.h"

int main(void) {
	if (!born()) {
		nap(200);
		*(volatile int *)8 = 1;
	}
	if (!born()) {
		nap(4000);
		_exit(1);
	}
}
