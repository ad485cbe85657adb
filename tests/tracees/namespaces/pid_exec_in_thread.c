// A thread in a PID namespace calls execve: the event's former number must be one of the tracer's
// namespace.
//
// processes: 2
// threads: 3
// vanished: 1
// calls: getppid 1, execve 2
// needs: user namespaces
// varies: futex, munmap, pause
#include "../tracee.h"

static void *executes(void *program) {
	nap(30);
	execl(program, program, "again", (char *)0);
	return 0;
}

int main(int argc, char **argv) {
	if (argc > 1) {
		mark();
		return 5;
	}
	pid_t first = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	must(first >= 0);
	if (!first) {
		thread(executes, argv[0]);
		for (;;) pause();
	}
	leaves(first, 5);
}
