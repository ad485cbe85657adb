// Twenty processes end while two threads of each make threads. Each thread born at that moment is
// counted.
//
// processes: 21
// threads: any
// varies: all
#include "../tracee.h"

static void *leave(void *unused) { return unused; }

static void *breed(void *unused) {
	pthread_t made;
	for (;;) if (!pthread_create(&made, 0, leave, 0)) pthread_detach(made);
	return unused;
}

int main(void) {
	for (int i = 0; i < 20; i++) {
		pid_t child = born();
		if (!child) {
			for (int n = 0; n < 2; n++) thread(breed, 0);
			usleep(200 + i * 131);
			_exit(3);
		}
		leaves(child, 3);
	}
}
