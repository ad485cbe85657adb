// A parent by vfork waits in the kernel until its child has left: it sees what the child wrote into their common memory.
//
// processes: 2
// calls: getppid 2
// calls on x86_64: vfork 1
#include "../tracee.h"

int main(void) {
	volatile int seen = 0;
	pid_t child = vfork();
	if (!child) {
		nap(50);
		mark();
		seen = 1;
		_exit(7);
	}
	must(seen);
	mark();
	leaves(child, 7);
}
