// The filter kills the process at its call, which is counted.
//
// exit: SIGSYS
// threads: 2
// calls: getppid 1
// varies: pause, futex
#include "filter.h"

static void *waits(void *nothing) {
	for (;;) pause();
	return nothing;
}

int main(void) {
	thread(waits, 0);
	answer_marks_with(SECCOMP_RET_KILL_PROCESS, SECCOMP_FILTER_FLAG_TSYNC);
	mark();
}
