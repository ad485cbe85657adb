// Forty threads start while others open, use and close files; the last one opens a device, and the
// first one reads it.
//
// new: device::read::object=char:zero
// times: 3
#include "../attack.h"

enum { THREADS = 40 };
static volatile int made = -1;
static int plain;

static void *waits(void *nothing) {
	sched_yield();
	while (made < 0) sched_yield();
	reads(fresh ? made : plain);
	return nothing;
}

static void *works(void *number) {
	for (int turns = 0; turns < 3; turns++) {
		int own = file();
		reads(own);
		must(!close(own));
	}
	if ((intptr_t)number == THREADS - 1) now(&made, device());
	return 0;
}

static void attack(const char *variant) {
	(void)variant;
	plain = file();
	pthread_t first = thread(waits, 0), others[THREADS];
	for (intptr_t number = 0; number < THREADS; number++) others[number] = thread(works, (void *)number);
	for (int number = 0; number < THREADS; number++) joined(others[number]);
	joined(first);
}
