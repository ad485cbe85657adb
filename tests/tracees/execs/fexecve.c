// A program that is executed by its fd.
//
// exit: 8
// calls: execve 1, execveat 1, getppid 1
#include "../tracee.h"

int main(int argc, char **argv) {
	if (argc > 1) {
		mark();
		return 8;
	}
	int program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *again[] = { argv[0], "again", 0 }, *empty[] = { 0 };
	syscall(SYS_execveat, program, "", again, empty, AT_EMPTY_PATH);
}
