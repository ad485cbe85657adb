// A thread crashes among others, in a process with its leader and in one without: each process ends
// by the signal once.
//
// processes: 3
// threads: 11
// killed: SIGSEGV 2
// varies: all
#include "../tracee.h"

static pthread_barrier_t all;

static void *sleeps(void *unused) {
	pthread_barrier_wait(&all);
	for (;;) pause();
	return unused;
}
static void *crashes(void *unused) {
	pthread_barrier_wait(&all);
	*(volatile int *)8 = 1;
	return unused;
}

int main(void) {
	for (int leader_stays = 0; leader_stays < 2; leader_stays++) {
		pid_t child = born();
		if (!child) {
			must(!pthread_barrier_init(&all, 0, 5));
			for (int i = 0; i < 3; i++) thread(sleeps, 0);
			thread(crashes, 0);
			pthread_barrier_wait(&all);
			if (!leader_stays) pthread_exit(0);
			for (;;) pause();
		}
		dies(child, SIGSEGV);
	}
}
