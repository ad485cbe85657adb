// Threads close numbers and get them again for other objects, in every order: one closes a file,
// the other opens a device that gets its number.
//
// new: device::read::object=char:zero
// variants: closed, replaced, ranges, known_closed, known_replaced
// times: 3
#include "../attack.h"

static const char *way;
static volatile int turn;
static int number = 60;

// The number belongs to a file or is free, except once, when a device gets it.
static void *changes(void *nothing) {
	int plain = file(), odd = device();
	for (int round = 1; round <= 40; round++) {
		int source = round == 40 ? odd : plain;
		if (!strcmp(way, "replaced")) must(dup2(source, number) == number);
		else {
			if (!strcmp(way, "ranges")) must(!syscall(SYS_close_range, number, number, 0));
			else close(number);
			must(fcntl(source, F_DUPFD, number) == number);
		}
		now(&turn, round);
		until(&turn, 0);
	}
	return nothing;
}

static void attack(const char *variant) {
	way = variant;
	int plain = file();
	pthread_t changer = thread(changes, 0);
	for (int round = 1; round <= 40; round++) {
		until(&turn, round);
		if (round < 40) {
			if (round % 2) reads(number);
			if (round % 3) must(!close(number));
		} else {
			reads(fresh ? number : plain);
		}
		now(&turn, 0);
	}
	joined(changer);
}
