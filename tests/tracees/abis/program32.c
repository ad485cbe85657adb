// A program that is 32-bit from its execve on and has no C library makes a child, and the child
// executes a 64-bit program.
//
// exit: 9
// processes: 2
// calls: x86_64/execve 1, i386/getppid 2, i386/fork 1, i386/waitpid 1, i386/execve 1, i386/exit 1, x86_64/exit_group 1
// build: -m32 -nostdlib -static -fno-pie -no-pie -fno-stack-protector
// needs: x86_64, 32-bit programs
// strace: counts each ABI in a table of its own
static int call(int number, int a, int b, int c) {
	int result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

enum { EXIT = 1, FORK = 2, WAITPID = 7, EXECVE = 11, GETPPID = 64 };

void _start(void) {
	call(GETPPID, 0, 0, 0);
	int child = call(FORK, 0, 0, 0);
	if (!child) {
		const char *program = "/bin/true", *argv[] = { program, 0 }, *environment[] = { 0 };
		call(GETPPID, 0, 0, 0);
		call(EXECVE, (int)program, (int)argv, (int)environment);
		call(EXIT, 1, 0, 0);
	}
	int status = 1;
	call(WAITPID, child, (int)&status, 0);
	call(EXIT, status ? 1 : 9, 0, 0);
}
