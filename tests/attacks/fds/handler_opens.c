// A signal handler opens a device while its thread waits in a call or runs; the interrupted code
// reads it.
//
// new: device::read::object=char:zero
// variants: waiting, running
// times: 3
#include "../attack.h"

static volatile int made = -1, seen;

static void handles(int signal) {
	(void)signal;
	if (made < 0) made = device();
}

static void *strikes(void *target) {
	for (int turns = 0; turns < 20; turns++) sched_yield();
	while (!seen) {
		must(!pthread_kill(*(pthread_t *)target, SIGUSR1));
		struct timespec time = { 0, 2000000 };
		nanosleep(&time, 0);
	}
	return 0;
}

static void attack(const char *variant) {
	struct sigaction action = { .sa_handler = handles };
	must(!sigaction(SIGUSR1, &action, 0));
	int plain = file(), ends[2];
	must(!pipe(ends));
	pthread_t self = pthread_self(), striker = thread(strikes, &self);
	char byte;
	if (!strcmp(variant, "waiting")) must(read(ends[0], &byte, 1) < 0 && errno == EINTR);
	while (made < 0) { }
	now(&seen, 1);
	reads(fresh ? made : plain);
	joined(striker);
}
