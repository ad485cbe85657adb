// A program that may be executed but not read opens and reads a file, and so does its child: both
// are readable for a tracer without privileges.
//
// exit: 3
// processes: 2
// calls: getppid 2, execve 2
// needs: ordinary user
#include "../fidelity/dumpable.h"

static void works(void) {
	char byte;
	int file = open("/dev/null", O_RDONLY);
	must(file >= 0 && read(file, &byte, 1) == 0);
	mark();
}

int main(int argc, char **argv) {
	if (argc == 1) {
		copy(argv[0], "copy", 0111);
		execl("copy", "copy", "again", (char *)0);
	}
	works();
	pid_t child = born();
	if (!child) {
		works();
		_exit(3);
	}
	leaves(child, 3);
	return 3;
}
