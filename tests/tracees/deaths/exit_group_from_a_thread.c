// A thread ends the process while the leader sleeps and ten others read what never comes.
//
// exit: 42
// threads: 12
// calls: exit_group 1, getppid 11
// varies: futex, mmap, munmap, mprotect, madvise, brk, read, rt_sigprocmask, set_robust_list, rseq, clone3
#include "../tracee.h"

static int pipe_ends[2];

static void *reads(void *nothing) {
	char byte;
	mark();
	if (read(pipe_ends[0], &byte, 1)) { }
	return nothing;
}

static void *ends(void *nothing) {
	nap(100);
	mark();
	syscall(SYS_exit_group, 42);
	return nothing;
}

int main(void) {
	must(!pipe(pipe_ends));
	for (int i = 0; i < 10; i++) thread(reads, 0);
	thread(ends, 0);
	pause();
}
