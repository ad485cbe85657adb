// 64-bit code clears PR_SET_DUMPABLE by int 0x80, where only the lower half of a register counts,
// and by an x32 number, which most kernels refuse.
//
// calls: i386/prctl 3
// needs: x86_64, 32-bit calls
// strace: names them by number without their ABI
#include "dumpable.h"

static long int80(long number, long first, long second) {
	long result;
	__asm__ volatile("int $0x80" : "=a"(result), "+b"(first), "+c"(second) : "a"(number), "d"(0), "S"(0), "D"(0)
		: "r8", "r9", "r10", "r11", "memory");
	must(first == 4 || first == 3);
	return result;
}

int main(void) {
	enum { PRCTL = 172 };
	must(int80(PRCTL, PR_SET_DUMPABLE, 0) == 0 && int80(PRCTL, PR_GET_DUMPABLE, 0) == 0);
	must(!set_dumpable(1) && dumpable() == 1);
	must(int80(PRCTL, PR_SET_DUMPABLE, 0x700000000) == 0 && dumpable() == 0);
	must(!set_dumpable(1));
	long made = syscall(0x40000000 | SYS_prctl, PR_SET_DUMPABLE, 0);
	must(dumpable() == (made ? 1 : 0));
}
