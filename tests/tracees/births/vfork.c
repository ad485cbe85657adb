// A parent waits in vfork until its child has exited, and sees what the child wrote to their shared
// memory.
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
