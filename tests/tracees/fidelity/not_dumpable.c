// A process that clears PR_SET_DUMPABLE is still traced, with its child and its next program.
//
// exit: 8
// processes: 2
// calls: getppid 3, execve 2
#include "../tracee.h"

int main(int argc, char **argv) {
	if (argc > 1) {
		mark();
		return 8;
	}
	must(!prctl(PR_SET_DUMPABLE, 0));
	mark();
	pid_t child = born();
	if (!child) {
		mark();
		_exit(3);
	}
	leaves(child, 3);
	execl(argv[0], argv[0], "again", (char *)0);
}
