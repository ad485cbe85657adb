// The first process asks for a signal at its parent's death. Its parent is the tracer, which
// outlives it.
//
// exit: 4
// varies: all
// strace: makes itself the parent
// build: -static
#include "../tracee.h"
#include <sys/prctl.h>

int main(void) {
	must(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	usleep(300000);
	return 4;
}
