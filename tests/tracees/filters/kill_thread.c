// The filter kills one thread at its call; the other threads go on.
//
// exit: 3
// threads: 2
// blind: seccomp_filter
// calls: getppid 1
// varies: futex
#include "filter.h"

static void *dies_early(void *nothing) {
	answer_marks_with(SECCOMP_RET_KILL_THREAD, 0);
	mark();
	return nothing;
}

int main(void) {
	pthread_join(thread(dies_early, 0), 0);
	_exit(3);
}
