// A process group of five kills itself, the first process included.
//
// exit: SIGKILL
// processes: 5
// calls: getppid 4
// varies: pause, setpgid, getpid
#include "../tracee.h"

int main(void) {
	must(getpgrp() == getpid() || !setpgid(0, 0));
	for (int i = 0; i < 4; i++) {
		if (!born()) {
			mark();
			for (;;) pause();
		}
	}
	nap(50);
	kill(0, SIGKILL);
	pause();
}
