// A thread executes a program, which ends the other threads, and the new program crashes: one
// process is ended by one signal.
//
// processes: 2
// threads: 6
// vanished: 1
// killed: SIGSEGV 1
// varies: all
#include "../tracee.h"

static void *sleeps(void *unused) {
	for (;;) pause();
	return unused;
}
static void *executes(void *program) {
	execl(program, program, "crash", (char *)0);
	return 0;
}

int main(int count, char **words) {
	if (count > 1) *(volatile int *)8 = 1;
	pid_t child = born();
	if (!child) {
		for (int i = 0; i < 3; i++) thread(sleeps, 0);
		thread(executes, words[0]);
		for (;;) pause();
	}
	dies(child, SIGSEGV);
}
