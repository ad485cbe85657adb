// A thread calls execve while the leader and three others make calls without pause: it takes the
// leader's number.
//
// exit: 8
// threads: 5
// vanished: 1
// calls: execve 2
// varies: futex, mmap, munmap, mprotect, madvise, brk, getppid, rt_sigprocmask, set_robust_list, rseq, clone3
#include "../tracee.h"

static void *busy(void *nothing) {
	for (;;) mark();
	return nothing;
}

static void *executes(void *program) {
	nap(20);
	execl(program, program, "again", (char *)0);
	return 0;
}

int main(int argc, char **argv) {
	if (argc > 1) return 8;
	for (int i = 0; i < 3; i++) thread(busy, 0);
	thread(executes, argv[0]);
	busy(0);
}
