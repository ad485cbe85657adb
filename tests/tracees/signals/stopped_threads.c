// A stop holds every thread of a process: none of them makes a call until it is continued.
//
// processes: 2
// threads: 6
// killed: SIGKILL 1
// varies: all
#include "../tracee.h"

static volatile int *counts;

static void *counts_on(void *which) {
	for (;;) {
		counts[(long)which]++;
		mark();
	}
	return 0;
}

static void snapshot(int *now) { for (int i = 0; i < 4; i++) now[i] = counts[i]; }

int main(void) {
	counts = shared(4096);
	pid_t child = born();
	if (!child) {
		for (long i = 0; i < 4; i++) thread(counts_on, (void *)i);
		for (;;) pause();
	}
	while (!(counts[0] && counts[1] && counts[2] && counts[3])) nap(5);
	for (int i = 0; i < 5; i++) {
		int status, before[4], after[4];
		kill(child, SIGSTOP);
		must(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
		snapshot(before);
		nap(30);
		snapshot(after);
		must(!memcmp(before, after, sizeof before));
		kill(child, SIGCONT);
		for (int thread = 0; thread < 4; thread++) while (counts[thread] == after[thread]) nap(1);
	}
	kill(child, SIGKILL);
	dies(child, SIGKILL);
}
