// Numbers without a syscall are reported as they are; only the lower half of the register counts.
//
// calls: syscall_0x3e7 2 errors 2, syscall_-1 2 errors 2, getppid 1
// strace: names unknown numbers in its own way
#include "../tracee.h"

int main(void) {
	for (int i = 0; i < 2; i++) {
		must(syscall(0x3e7) == -1 && errno == ENOSYS);
		must(syscall(-1) == -1 && errno == ENOSYS);
	}
	syscall(SYS_getppid | 0x1100000000L);
}
