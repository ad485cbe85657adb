// ptrace makes a difference: a signal without a handler wakes a traced program, so a call that the
// kernel never restarts ends with EINTR.
//
// exit: 1
// untraced: 0
// processes: 2
// varies: all
#include "../tracee.h"
#include <sys/epoll.h>

int main(void) {
	struct epoll_event event;
	int file = epoll_create1(0);
	if (!born()) {
		until_asleep(getppid());
		_exit(0);
	}
	return epoll_wait(file, &event, 1, 1000) == -1 && errno == EINTR;
}
