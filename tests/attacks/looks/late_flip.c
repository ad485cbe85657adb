// The text of a path changes as late as possible before the kernel reads it: an ever shorter time
// after the call began, and only once.
//
// new: device::openat::object=char:zero
// variants: thread, process
// happens: by chance
// times: 8
#include "../attack.h"
#include <time.h>

enum { TRIES = 2000, LONGEST = 150000, SHORTER = LONGEST / TRIES };
static char (*text)[32];
static volatile int *turn;

// A change that is too late has no effect, so each try is earlier by this many nanoseconds.
static void flips(void) {
	on_cpu(1);
	for (int round = 1; round <= TRIES; round++) {
		while (*turn != round) if (*turn > TRIES) return;
		struct timespec start, time;
		clock_gettime(CLOCK_MONOTONIC, &start);
		long passed;
		do {
			clock_gettime(CLOCK_MONOTONIC, &time);
			passed = (time.tv_sec - start.tv_sec) * 1000000000 + time.tv_nsec - start.tv_nsec;
		} while (passed < LONGEST - round * SHORTER);
		if (*turn == round) __atomic_store_n(*text + 3, '1', __ATOMIC_RELEASE);
		now(turn + 1, round);
	}
}

static void *flips_in_thread(void *nothing) {
	flips();
	return nothing;
}

static void attack(const char *variant) {
	int plain = open("plain", O_RDWR | O_CREAT, 0600);
	must(plain >= 0 && write(plain, "x", 1) == 1 && !close(plain));
	text = shared(sizeof *text);
	turn = shared(2 * sizeof *turn);
	must(!symlink("plain", "way0") && !symlink(fresh ? "/dev/zero" : "plain", "way1"));
	int is_process = variant[0] == 'p', found = 0;
	pid_t child = is_process ? born(0) : 0;
	if (is_process && !child) {
		flips();
		_exit(0);
	}
	pthread_t flipper = 0;
	if (!is_process) flipper = thread(flips_in_thread, 0);
	on_cpu(0);
	time_t begin = time(0);
	for (int round = 1; round <= (fresh ? TRIES : 50) && !found && time(0) < begin + 4; round++) {
		strcpy(*text, "way0");
		now(turn, round);
		int fd = openat(AT_FDCWD, *text, O_RDONLY);
		struct stat state;
		must(fd >= 0 && !fstat(fd, &state));
		reads(fd);
		must(!close(fd));
		found = state.st_rdev == makedev(1, 5);
		while (turn[1] != round) { }
	}
	now(turn, TRIES + 1);
	if (is_process) leaves(child);
	else joined(flipper);
	if (fresh && !found) _exit(NO_RACE);
}
