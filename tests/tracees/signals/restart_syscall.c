// A sleep that is stopped and continued goes on by restart_syscall, and lasts as long as it should.
//
// processes: 2
// calls: restart_syscall 1, nanosleep 2
// varies: wait4
#include "../tracee.h"

static void rest(long milliseconds) {
	struct timespec time = { 0, milliseconds * 1000000 };
	must(!syscall(SYS_nanosleep, &time, 0));
}

int main(void) {
	struct timespec begun, over;
	clock_gettime(CLOCK_MONOTONIC, &begun);
	pid_t child = born();
	if (!child) {
		rest(300);
		_exit(3);
	}
	rest(100);
	int status;
	kill(child, SIGSTOP);
	must(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	kill(child, SIGCONT);
	leaves(child, 3);
	clock_gettime(CLOCK_MONOTONIC, &over);
	must((over.tv_sec - begun.tv_sec) * 1000 + (over.tv_nsec - begun.tv_nsec) / 1000000 >= 300);
}
