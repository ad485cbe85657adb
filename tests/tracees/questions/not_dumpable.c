// A process that is not dumpable opens and reads a file: it stays readable for a tracer without
// privileges.
//
// calls: getppid 1
// needs: ordinary user
#include "../tracee.h"

int main(void) {
	char byte;
	must(!prctl(PR_SET_DUMPABLE, 0));
	int file = open("/dev/null", O_RDONLY);
	must(file >= 0 && read(file, &byte, 1) == 0);
	mark();
}
