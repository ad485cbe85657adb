// A child that its parent makes with CLONE_UNTRACED, so that no tracer hears of it; it has a child of its own. Neither parent nor child finds
// a changed register.
//
// processes: 3
// calls: getppid 2, clone 2
// strace: blind to the child
// needs: x86_64
#include "../tracee.h"

int main(void) {
	long made, flags = CLONE_UNTRACED | SIGCHLD, after = flags;
	register long none10 __asm__("r10") = 0;
	register long none8 __asm__("r8") = 0;
	__asm__ volatile("syscall" : "=a"(made), "+D"(after)
		: "a"(SYS_clone), "S"(0), "d"(0), "r"(none10), "r"(none8) : "rcx", "r11", "memory");
	if (!made) {
		must(after == flags);
		mark();
		pid_t child = born();
		if (!child) {
			mark();
			_exit(2);
		}
		leaves(child, 2);
		_exit(3);
	}
	must(after == flags);
	leaves(made, 3);
}
