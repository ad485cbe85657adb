// A clock that the vDSO does not know: the call is made there, and has been asked for here.
//
// calls: clock_gettime 1
// stack: clock_gettime < asks at 9 < main at 15
#include "../tracee.h"

static __attribute__((noinline)) long asks(clockid_t clock) {
	struct timespec time;
	must(!clock_gettime(clock, &time));
	return time.tv_nsec;
}

int main(void) {
	// Twice, so that it is no jump but a call.
	return asks(CLOCK_PROCESS_CPUTIME_ID) < 0;
}
