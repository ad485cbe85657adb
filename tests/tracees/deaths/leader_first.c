// The leader leaves and its thread works on: the process has not left before the thread has.
//
// exit: 7
// threads: 2
// calls: getppid 1000, exit 2
#include "../tracee.h"

static void *works_on(void *nothing) {
	nap(50);
	marks(1000);
	syscall(SYS_exit, 7);
	return nothing;
}

int main(void) {
	thread(works_on, 0);
	syscall(SYS_exit, 7);
}
