// A child made with CLONE_UNTRACED, for which the kernel sends no event, makes a child of its own.
// Neither parent nor child finds a changed register, except where the syscall's result overwrites
// the argument.
//
// processes: 3
// calls: getppid 2, clone 2
// strace: blind to the child
#include "../tracee.h"

// Returns the result of clone and stores its first argument register afterwards.
static long clone_with(long flags, long *after) {
#ifdef __x86_64__
	long made;
	*after = flags;
	register long none10 __asm__("r10") = 0;
	register long none8 __asm__("r8") = 0;
	__asm__ volatile("syscall" : "=a"(made), "+D"(*after)
		: "a"(SYS_clone), "S"(0), "d"(0), "r"(none10), "r"(none8) : "rcx", "r11", "memory");
	return made;
#else
	*after = flags;
	return syscall(SYS_clone, flags, 0, 0, 0, 0);
#endif
}

int main(void) {
	long after, flags = CLONE_UNTRACED | SIGCHLD, made = clone_with(flags, &after);
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
