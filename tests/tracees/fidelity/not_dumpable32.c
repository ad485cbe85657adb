// A 32-bit program clears PR_SET_DUMPABLE, and reads it back in a child and in its next program,
// which may be executed but not read.
//
// exit: 8
// processes: 2
// calls on x86_64: i386/getppid 3, x86_64/execve 1, i386/execve 1
// needs: 32-bit programs
// build: -m32
// strace: counts each ABI in a table of its own
#include "dumpable.h"

int main(int argc, char **argv) {
	if (argc > 1) {
		must(dumpable() == (access(argv[0], R_OK) ? unreadable_value() : 1));
		mark();
		must(!set_dumpable(1) && dumpable() == 1);
		return 8;
	}
	must(dumpable() == 1 && !set_dumpable(0) && dumpable() == 0);
	must(set_dumpable(2) == -1 && errno == EINVAL);
	mark();
	forks_with(0);
	copy(argv[0], "copy", 0111);
	execl("copy", "copy", "again", (char *)0);
}
