// A program tries a name until it is there. It appears between a look and the call.
//
// new: device::openat::object=char:zero
// variants: thread, process
// times: 10
#include "../attack.h"

static volatile int *turn;
static const char *way;
enum { ROUNDS = 8 };

// What appears is a file, but for one time in mode B.
static void makes(void) {
	char source[32];
	snprintf(source, sizeof source, "/dev/%s", fresh ? "zero" : "null");
	for (int round = 1; round <= ROUNDS; round++) {
		until(turn, round);
		const char *to = round == ROUNDS / 2 ? source : "/dev/null";
		must(!symlink(to, "made"));
		for (int turns = round % 7; turns; turns--) sched_yield();
		must(!rename("made", "there"));
		until(turn, -round);
		must(!unlink("there"));
		now(turn, 0);
	}
}

static void *makes_in_thread(void *nothing) {
	makes();
	return nothing;
}

static void looks(void) {
	for (int round = 1; round <= ROUNDS; round++) {
		now(turn, round);
		int fd;
		do fd = openat(AT_FDCWD, "there", O_RDONLY); while (fd < 0);
		must(!close(fd));
		// So that in every round it is opened once at least.
		fd = openat(AT_FDCWD, "/dev/null", O_RDONLY);
		must(fd >= 0 && !close(fd));
		now(turn, -round);
		until(turn, 0);
	}
}

static void attack(const char *variant) {
	way = variant;
	turn = shared(sizeof *turn);
	if (!strcmp(way, "process")) {
		pid_t child = born(0);
		if (!child) {
			makes();
			_exit(0);
		}
		looks();
		leaves(child);
		return;
	}
	pthread_t maker = thread(makes_in_thread, 0);
	looks();
	joined(maker);
}
