// Ten threads at the same time: each makes another thread and a child.
//
// processes: 11
// threads: 31
// calls: getppid 30
// varies: all
#include "../tracee.h"

static void *leaf(void *nothing) {
	mark();
	return nothing;
}

static void *branch(void *nothing) {
	pthread_t other = thread(leaf, 0);
	pid_t child = born();
	if (!child) {
		mark();
		_exit(0);
	}
	mark();
	leaves(child, 0);
	pthread_join(other, 0);
	return nothing;
}

int main(void) {
	pthread_t threads[10];
	for (int i = 0; i < 10; i++) threads[i] = thread(branch, 0);
	for (int i = 0; i < 10; i++) pthread_join(threads[i], 0);
}
