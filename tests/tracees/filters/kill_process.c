// The filter kills the process at a call; that call is counted.
//
// exit: SIGSYS
// threads: 2
// blind: seccomp_filter
// calls: getppid 1
// varies: pause, futex, clock_nanosleep
#include "filter.h"

static volatile int is_there;

static void *waits(void *nothing) {
	is_there = 1;
	for (;;) pause();
	return nothing;
}

int main(void) {
	thread(waits, 0);
	while (!is_there) nap(1);
	answer_marks_with(SECCOMP_RET_KILL_PROCESS, SECCOMP_FILTER_FLAG_TSYNC);
	mark();
}
