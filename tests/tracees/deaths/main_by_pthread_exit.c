// main ends by pthread_exit; a thread ends the process by exit.
//
// exit: 5
// threads: 2
// calls: getppid 1, exit_group 1, exit 1
// varies: futex, munmap
#include "../tracee.h"

static void *works_on(void *leader) {
	must(!pthread_join(*(pthread_t *)leader, 0));
	mark();
	exit(5);
	return 0;
}

int main(void) {
	static pthread_t self;
	self = pthread_self();
	thread(works_on, &self);
	pthread_exit(0);
}
