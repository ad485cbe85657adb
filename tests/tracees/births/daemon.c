// A daemon: a grandchild in its own session that outlives the first process.
//
// exit: 6
// processes: 3
// calls: getppid 1, setsid 1
// strace: waits for it too
#include "../tracee.h"

int main(void) {
	if (born()) return 6;
	must(setsid() == getpid());
	if (born()) _exit(0);
	nap(200);
	mark();
}
