// A program that may be executed but not read begins with the same value of PR_SET_DUMPABLE as
// without a tracer, while ignored signals keep arriving. So do its child and its next program.
//
// exit: 8
// processes: 2
// calls: getppid 4, execve 3
// varies: wait4, clone
#include "dumpable.h"
#include <sys/time.h>

int main(int argc, char **argv) {
	struct itimerval often = { { 0, 100 }, { 0, 100 } };
	if (argc == 1) {
		must(dumpable() == 1);
		copy(argv[0], "copy", 0111);
		must(signal(SIGALRM, SIG_IGN) == SIG_DFL && !setitimer(ITIMER_REAL, &often, 0));
		mark();
		execl("copy", "copy", argv[0], (char *)0);
	}
	if (argc == 2) {
		int value = access(argv[0], R_OK) ? unreadable_value() : 1;
		must(dumpable() == value);
		mark();
		forks_with(value);
		execl(argv[1], argv[1], "at", "last", (char *)0);
	}
	must(dumpable() == 1);
	mark();
	return 8;
}
