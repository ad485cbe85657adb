// Numbers with the bit of x32, which most kernels refuse: seen under that ABI either way.
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
