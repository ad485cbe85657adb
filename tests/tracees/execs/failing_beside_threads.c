// A thread's execve fails: no thread of its process disappears.
//
// threads: 5
// calls: execve 51 errors 50, getppid 400
// varies: futex, mmap, munmap, mprotect, madvise, brk, rt_sigprocmask, set_robust_list, rseq, clone3
#include "../tracee.h"

static void *busy(void *nothing) {
	marks(100);
	return nothing;
}

int main(void) {
	pthread_t threads[4];
	for (int i = 0; i < 4; i++) threads[i] = thread(busy, 0);
	for (int i = 0; i < 50; i++) must(execl("/nowhere", "nothing", (char *)0) == -1);
	for (int i = 0; i < 4; i++) pthread_join(threads[i], 0);
}
