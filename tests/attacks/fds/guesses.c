// A task tries a number until it is an open fd: the opening task does not pass it on.
//
// new: device::read::object=char:zero
// variants: thread, process, known_process
// times: 4
#include "../attack.h"

static int number;

static void guesses(int plain) {
	char byte;
	do {
		if (read(fresh ? number : plain, &byte, 1) == 1) return;
		must(errno == EBADF);
		sched_yield();
	} while (1);
}

static void *tries(void *plain) {
	guesses(*(int *)plain);
	return 0;
}

static void attack(const char *variant) {
	int plain = file();
	number = next_fd();
	// In both modes a read of a number that is not open.
	char byte;
	must(read(number, &byte, 1) < 0);
	sched_yield();
	if (!strcmp(variant, "thread")) {
		pthread_t guesser = thread(tries, &plain);
		// The thread may have made fds of its own, but keeps none.
		for (int turns = 0; turns < 50; turns++) sched_yield();
		must(device() == number);
		joined(guesser);
		return;
	}
	pid_t child = born(CLONE_FILES);
	if (!child) {
		guesses(plain);
		_exit(0);
	}
	for (int turns = 0; turns < 50; turns++) sched_yield();
	must(device() == number);
	leaves(child);
}
