// The vDSO does not support this clock: the syscall instruction is there, its caller is here.
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
	// Called twice, so that it is a call and not a tail jump.
	return asks(CLOCK_PROCESS_CPUTIME_ID) < 0;
}
