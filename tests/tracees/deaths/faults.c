// Processes that die of their own faults: each processor fault, a file size limit, a stack
// overflow.
//
// processes: 6
// killed: SIGSEGV 2, SIGBUS 1, SIGILL 1, SIGXFSZ 1
// calls: getppid 5
#include "faults.h"
#include <sys/resource.h>

static void size(void) {
	struct rlimit limit = { 1, 1 };
	setrlimit(RLIMIT_FSIZE, &limit);
	must(write(open("large", O_CREAT | O_WRONLY, 0600), "ab", 2) == 1);
	if (write(open("large", O_WRONLY | O_APPEND, 0600), "ab", 2)) { }
}
static volatile int depth;
static int endless(volatile char *above) {
	volatile char frame[4096];
	frame[0] = above ? above[0] : 0;
	return depth++ < 0 ? 0 : endless(frame) + frame[0];
}
static void stack(void) { endless(0); }

int main(void) {
	struct { void (*fault)(void); int signal; } faults[] =
		{ { segment, SIGSEGV }, { bus, SIGBUS }, { illegal, SIGILL }, { size, SIGXFSZ }, { stack, SIGSEGV } };
	for (int i = 0; i < 5; i++) {
		pid_t child = born();
		if (!child) {
			mark();
			faults[i].fault();
			_exit(1);
		}
		dies(child, faults[i].signal);
	}
}
