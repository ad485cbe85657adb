// The text of a path changes as late as possible before the kernel reads it: an ever shorter time after the call began, and once only.
//
// new: device::openat::object=char:zero
// variants: thread, process
// happens: by chance
// times: 8
#include "../attack.h"

enum { TRIES = 60 };
static char (*text)[32];
static volatile int *turn;

static void flips(void) {
	for (int round = 1; round <= TRIES; round++) {
		until(turn, round);
		for (volatile long wait = 0; wait < (TRIES - round) * 20000L; wait++) { }
		__atomic_store_n(*text + 3, '1', __ATOMIC_RELEASE);
		now(turn, -round);
	}
}

static void *flips_in_thread(void *nothing) {
	flips();
	return nothing;
}

static void attack(const char *variant) {
	text = shared(sizeof *text);
	turn = shared(sizeof *turn);
	must(!symlink("/dev/null", "way0") && !symlink(fresh ? "/dev/zero" : "/dev/null", "way1"));
	int is_process = variant[0] == 'p', found = 0;
	pid_t child = is_process ? born(0) : 0;
	if (is_process && !child) {
		flips();
		_exit(0);
	}
	pthread_t flipper = 0;
	if (!is_process) flipper = thread(flips_in_thread, 0);
	for (int round = 1; round <= TRIES; round++) {
		strcpy(*text, "way0");
		now(turn, round);
		int fd = openat(AT_FDCWD, *text, O_RDONLY);
		struct stat state;
		must(fd >= 0 && !fstat(fd, &state) && !close(fd));
		found |= state.st_rdev == makedev(1, 5);
		until(turn, -round);
	}
	if (is_process) leaves(child);
	else joined(flipper);
	if (fresh && !found) _exit(NOT_COME_ABOUT);
}
