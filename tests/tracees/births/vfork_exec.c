// Twenty children by vfork that each execute this program again, and one with a failing exec.
//
// processes: 22
// calls: getppid 20, execve 22 errors 1
// calls on x86_64: vfork 21
#include "../tracee.h"

int main(int argc, char **argv) {
	if (argc > 1) {
		mark();
		return 3;
	}
	static int i;
	for (i = 0; i < 21; i++) {
		char *again[] = { argv[0], "again", 0 };
		pid_t child = vfork();
		if (!child) {
			execv(i ? argv[0] : "/nowhere", again);
			_exit(4);
		}
		leaves(child, i ? 3 : 4);
	}
}
