// main ends by pthread_exit, a thread ends the process by exit.
//
// exit: 5
// threads: 2
// calls: getppid 1, exit_group 1, exit 1
// varies: futex, munmap
#include "../tracee.h"

static void *works_on(void *nothing) {
	nap(50);
	mark();
	exit(5);
	return nothing;
}

int main(void) {
	thread(works_on, 0);
	pthread_exit(0);
}
