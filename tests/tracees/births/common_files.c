// A process (not a thread) that shares memory and the fd table with its parent: one opens a file,
// the other reads it.
//
// processes: 2
// calls: getppid 1, clone 1
#include "../tracee.h"

static int opened = -1;
static char stack[65536] __attribute__((aligned(16)));

static int child(void *nothing) {
	(void)nothing;
	mark();
	opened = open("/dev/zero", O_RDONLY);
	return 5;
}

int main(void) {
	pid_t made = clone(child, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, 0);
	must(made > 0);
	leaves(made, 5);
	char byte = 1;
	must(read(opened, &byte, 1) == 1 && byte == 0);
}
