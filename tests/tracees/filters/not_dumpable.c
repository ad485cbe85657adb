// A process with a seccomp filter of its own clears PR_SET_DUMPABLE. The tracer changes no call that
// the filter could refuse, so it cannot query the fds of the process, and the run reports it.
//
// blind: seccomp_filter, unanswerable
// calls: getppid 1
// needs: ordinary user
#include "filter.h"

int main(void) {
	char byte;
	answer_marks_with(SECCOMP_RET_ALLOW, 0);
	must(!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	int file = open("/dev/null", O_RDONLY);
	must(file >= 0 && read(file, &byte, 1) == 0);
	mark();
}
