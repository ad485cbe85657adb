// A process that clears PR_SET_DUMPABLE is still traced, with its thread, its children and its next
// program. PR_GET_DUMPABLE returns in each of them what it does without a tracer.
//
// exit: 8
// processes: 4
// threads: 5
// calls: getppid 5, execve 3
// varies: futex, mmap, munmap, mprotect, madvise, brk, rt_sigprocmask
#include "dumpable.h"

static void *in_a_thread(void *nothing) {
	mark();
	must(dumpable() == 0 && !set_dumpable(1) && dumpable() == 1 && !set_dumpable(0));
	return nothing;
}

static int with_the_same_memory(void *nothing) {
	(void)nothing;
	must(dumpable() == 0 && !set_dumpable(1));
	_exit(4);
}

static char stack[1 << 14];

int main(int argc, char **argv) {
	must(dumpable() == 1);
	if (argc > 1) {
		mark();
		return 8;
	}
	must(set_dumpable(2) == -1 && errno == EINVAL);
	must(set_dumpable(1ul << (8 * sizeof(long) - 1)) == -1 && errno == EINVAL);
	must(dumpable() == 1);
	must(!set_dumpable(0) && dumpable() == 0);
	must(set_dumpable(3) == -1 && errno == EINVAL && dumpable() == 0);
	mark();
	must(!pthread_join(thread(in_a_thread, 0), 0));
	must(dumpable() == 0);
	forks_with(0);
	pid_t child = clone(with_the_same_memory, stack + sizeof stack, CLONE_VM | SIGCHLD, 0);
	must(child > 0);
	leaves(child, 4);
	must(dumpable() == 1 && !set_dumpable(0));
	child = vfork();
	if (!child) {
		execl(argv[0], argv[0], "again", (char *)0);
		_exit(9);
	}
	leaves(child, 8);
	must(dumpable() == 0);
	execl(argv[0], argv[0], "again", (char *)0);
}
