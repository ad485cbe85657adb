// The leader exits and its thread runs on: the process exits when the thread does.
//
// exit: 7
// threads: 2
// calls: getppid 1000, exit 2
// varies: futex
#include "../tracee.h"

static pthread_t leader;

static void *works_on(void *nothing) {
	must(!pthread_join(leader, 0));
	marks(1000);
	syscall(SYS_exit, 7);
	return nothing;
}

int main(void) {
	leader = pthread_self();
	thread(works_on, 0);
	syscall(SYS_exit, 7);
}
