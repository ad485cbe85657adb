// The main thread opens a device; a thread that was started before or after that reads it.
//
// new: device::read::object=char:zero
// variants: there_before, born_after, grandchild, known_there_before
// times: 4
#include "../attack.h"

static volatile int wanted = -1;

static void *uses(void *nothing) {
	sched_yield();
	while (wanted < 0) sched_yield();
	reads(wanted);
	return nothing;
}

static void *bears(void *nothing) {
	joined(thread(uses, 0));
	return nothing;
}

static void attack(const char *variant) {
	int plain = file();
	if (!strcmp(variant, "there_before")) {
		pthread_t user = thread(uses, 0);
		int fd = device();
		now(&wanted, fresh ? fd : plain);
		joined(user);
		return;
	}
	int fd = device();
	wanted = fresh ? fd : plain;
	joined(thread(!strcmp(variant, "grandchild") ? bears : uses, 0));
}
