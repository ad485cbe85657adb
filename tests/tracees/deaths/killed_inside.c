// A child is killed inside a read that never returns, and one inside a vfork: both calls are counted, once.
//
// processes: 4
// calls: getppid 2, pause 1, read 3
// strace: counts returned calls only
// needs: x86_64
#include "../tracee.h"

int main(void) {
	int never[2];
	must(!pipe(never));
	pid_t reader = born();
	if (!reader) {
		char byte;
		mark();
		_exit(read(never[0], &byte, 1) == 1);
	}
	nap(50);
	kill(reader, SIGKILL);
	dies(reader, SIGKILL);
	volatile pid_t *grandchild = shared(sizeof *grandchild);
	pid_t maker = born();
	if (!maker) {
		if (!vfork()) {
			*grandchild = getpid();
			mark();
			for (;;) pause();
		}
		_exit(1);
	}
	nap(50);
	kill(maker, SIGKILL);
	dies(maker, SIGKILL);
	kill(*grandchild, SIGKILL);
}
