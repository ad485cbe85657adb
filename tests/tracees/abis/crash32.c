// A 32-bit program makes a child that crashes, and one that a signal ends.
//
// processes: 3
// killed: SIGSEGV 1, SIGTERM 1
// calls: x86_64/execve 1, i386/fork 2, i386/waitpid 2, i386/getpid 1, i386/kill 1, i386/exit 1
// build: -m32 -nostdlib -static -fno-pie -no-pie -fno-stack-protector
// needs: x86_64, 32-bit programs
// strace: counts each ABI in a table of its own
static int call(int number, int a, int b, int c) {
	int result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

enum { EXIT = 1, FORK = 2, WAITPID = 7, GETPID = 20, KILL = 37, SIGTERM = 15 };

void _start(void) {
	int child = call(FORK, 0, 0, 0);
	if (!child) __asm__ volatile("movl $1, 8");
	call(WAITPID, child, 0, 0);
	child = call(FORK, 0, 0, 0);
	if (!child) call(KILL, call(GETPID, 0, 0, 0), SIGTERM, 0);
	call(WAITPID, child, 0, 0);
	call(EXIT, 0, 0, 0);
}
