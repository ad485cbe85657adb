// One child is killed in a wait that never returns, another in a vfork. Each of these calls is
// counted once.
//
// processes: 4
// killed: SIGKILL 3
// calls on x86_64: vfork 1
// calls: getppid 2, rt_sigsuspend 2
// varies: openat, read, close, clock_nanosleep
#include "../tracee.h"

int main(void) {
	sigset_t none;
	sigemptyset(&none);
	pid_t waiting = born();
	if (!waiting) {
		mark();
		sigsuspend(&none);
		_exit(1);
	}
	until_asleep(waiting);
	kill(waiting, SIGKILL);
	dies(waiting, SIGKILL);
	volatile pid_t *grandchild = shared(sizeof *grandchild);
	pid_t maker = born();
	if (!maker) {
		if (!vfork()) {
			*grandchild = getpid();
			mark();
			sigsuspend(&none);
		}
		_exit(1);
	}
	while (!*grandchild) nap(1);
	until_asleep(*grandchild);
	kill(maker, SIGKILL);
	dies(maker, SIGKILL);
	kill(*grandchild, SIGKILL);
}
