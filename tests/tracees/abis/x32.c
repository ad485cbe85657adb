// Numbers with the x32 bit, which most kernels refuse: reported under the x32 ABI in either case.
//
// calls: x32/getppid 2, x32/syscall_0x3e7 1, x86_64/getppid 1
// strace: shows the refused numbers as unknown
// needs: x86_64
#include "../tracee.h"

int main(void) {
	syscall(0x40000000 | SYS_getppid);
	syscall(0x40000000 | SYS_getppid);
	syscall(0x40000000 | 0x3e7);
	mark();
}
