// 64-bit code makes 32-bit calls by int 0x80: each number has its i386 meaning, −1 included. One of
// these calls makes a child.
//
// processes: 2
// calls: i386/getppid 4, x86_64/getppid 3, i386/fork 1, i386/syscall_-1 1 errors 1
// strace: names them by number without their ABI
// needs: x86_64, 32-bit calls
#include "../tracee.h"

static int int80(int number) {
	int result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0)
		: "r8", "r9", "r10", "r11", "memory");
	return result;
}

int main(void) {
	for (int i = 0; i < 3; i++) must(int80(64) == getppid());
	must(int80(-1) == -ENOSYS);
	pid_t child = int80(2);
	if (!child) {
		int80(64);
		_exit(3);
	}
	leaves(child, 3);
}
