// The leader has exited; a thread calls execve and becomes the leader.
//
// exit: 8
// threads: 2
// vanished: 1
// calls: execve 2, exit 1
// varies: futex
#include "../tracee.h"

static pthread_t leader;

static void *executes(void *program) {
	must(!pthread_join(leader, 0));
	execl(program, program, "again", (char *)0);
	return 0;
}

int main(int argc, char **argv) {
	if (argc > 1) return 8;
	leader = pthread_self();
	thread(executes, argv[0]);
	syscall(SYS_exit, 0);
}
