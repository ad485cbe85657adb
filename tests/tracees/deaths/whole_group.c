// A process group of five kills itself, the first process included.
//
// exit: SIGKILL
// processes: 5
// killed: SIGKILL 4
// calls: getppid 4
// varies: pause, clock_nanosleep, setpgid, getpid
#include "../tracee.h"

int main(void) {
	must(getpgrp() == getpid() || !setpgid(0, 0));
	volatile int *ready = shared(sizeof *ready);
	for (int i = 0; i < 4; i++) {
		if (!born()) {
			mark();
			__atomic_fetch_add(ready, 1, __ATOMIC_SEQ_CST);
			for (;;) pause();
		}
	}
	while (*ready < 4) nap(1);
	kill(0, SIGKILL);
	pause();
}
