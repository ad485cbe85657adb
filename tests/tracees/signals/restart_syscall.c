// A sleep that is stopped and continued goes on by restart_syscall, and lasts as long as it should.
//
// processes: 2
// calls: restart_syscall 1, nanosleep 1
// varies: wait4, openat, read, close, clock_nanosleep
#include "../tracee.h"

int main(void) {
	struct timespec begun, over, time = { 0, 600000000 };
	clock_gettime(CLOCK_MONOTONIC, &begun);
	pid_t child = born();
	if (!child) {
		must(!syscall(SYS_nanosleep, &time, 0));
		_exit(3);
	}
	until_asleep(child);
	int status;
	kill(child, SIGSTOP);
	must(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	kill(child, SIGCONT);
	leaves(child, 3);
	clock_gettime(CLOCK_MONOTONIC, &over);
	must((over.tv_sec - begun.tv_sec) * 1000 + (over.tv_nsec - begun.tv_nsec) / 1000000 >= 600);
}
