// The first process asks for a signal when its parent dies. Its parent is the tracer, which lives until the end.
//
// exit: 4
// varies: all
// strace: another parent
// build: -static
#include "../tracee.h"
#include <sys/prctl.h>

int main(void) {
	must(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	usleep(300000);
	return 4;
}
