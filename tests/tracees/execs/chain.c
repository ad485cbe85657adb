// Ten execs in a row in one process.
//
// exit: 10
// calls: getppid 10, execve 11
#include "../tracee.h"

int main(int argc, char **argv) {
	int links = argc > 1 ? atoi(argv[1]) : 0;
	if (links == 10) return 10;
	mark();
	char next[12];
	snprintf(next, sizeof next, "%d", links + 1);
	execl(argv[0], argv[0], next, (char *)0);
}
