// Ten children by posix_spawn, which shares memory with its caller until the exec.
//
// processes: 11
// calls: getppid 10, execve 11
#include "../tracee.h"
#include <spawn.h>

extern char **environ;

int main(int argc, char **argv) {
	if (argc > 1) {
		mark();
		return 3;
	}
	for (int i = 0; i < 10; i++) {
		pid_t child;
		char *again[] = { argv[0], "again", 0 };
		must(!posix_spawn(&child, argv[0], 0, 0, again, environ));
		leaves(child, 3);
	}
}
