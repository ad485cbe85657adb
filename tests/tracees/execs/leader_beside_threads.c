// The leader calls execve while four threads make calls without pause: the threads end, the leader
// goes on.
//
// exit: 8
// threads: 5
// calls: execve 2
// varies: futex, mmap, munmap, mprotect, madvise, brk, getppid, rt_sigprocmask, set_robust_list, rseq, clone3
#include "../tracee.h"

static void *busy(void *nothing) {
	for (;;) mark();
	return nothing;
}

int main(int argc, char **argv) {
	if (argc > 1) return 8;
	for (int i = 0; i < 4; i++) thread(busy, 0);
	nap(20);
	execl(argv[0], argv[0], "again", (char *)0);
}
