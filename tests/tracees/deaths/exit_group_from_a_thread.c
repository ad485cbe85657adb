// A thread ends the process while the leader sleeps and ten other threads wait in read.
//
// exit: 42
// threads: 12
// calls: exit_group 1, getppid 11
// varies: futex, mmap, munmap, mprotect, madvise, brk, read, clock_nanosleep, rt_sigprocmask, set_robust_list, rseq, clone3
#include "../tracee.h"

static int pipe_ends[2];
static volatile int readers;

static void *reads(void *nothing) {
	char byte;
	mark();
	__atomic_fetch_add(&readers, 1, __ATOMIC_SEQ_CST);
	if (read(pipe_ends[0], &byte, 1)) { }
	return nothing;
}

static void *ends(void *nothing) {
	while (readers < 10) nap(1);
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
