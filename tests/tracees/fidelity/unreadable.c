// A program that may be executed but not read begins as it does without a tracer, while an ignored
// signal arrives all the time. So does its child, and a program that can be read after it.
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
		pid_t child = born();
		if (!child) {
			must(dumpable() == value && !set_dumpable(1) && dumpable() == 1);
			mark();
			_exit(3);
		}
		leaves(child, 3);
		must(dumpable() == value);
		execl(argv[1], argv[1], "at", "last", (char *)0);
	}
	must(dumpable() == 1);
	mark();
	return 8;
}
