// A program tries a name until it exists. It appears between the tracer's look and the call.
//
// new: device::openat::object=char:zero
// variants: thread, process
// times: 10
#include "../attack.h"

static volatile int *turn;
static const char *way;
enum { ROUNDS = 8 };

// A file appears each time, except once in mode B.
static void makes(void) {
	on_cpu(1);
	for (int round = 1; round <= ROUNDS; round++) {
		until(turn, round);
		const char *to = round == ROUNDS / 2 && fresh ? "/dev/zero" : "plain";
		must(!symlink(to, "made"));
		for (volatile int spin = 300000 + rand() % 1000000; spin; spin--) { }
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
	on_cpu(0);
	for (int round = 1; round <= ROUNDS; round++) {
		now(turn, round);
		int fd;
		do fd = openat(AT_FDCWD, "there", O_RDONLY); while (fd < 0);
		reads(fd);
		must(!close(fd));
		now(turn, -round);
		until(turn, 0);
	}
}

static void attack(const char *variant) {
	way = variant;
	turn = shared(sizeof *turn);
	srand(getpid());
	int plain = open("plain", O_RDWR | O_CREAT, 0600);
	must(plain >= 0 && write(plain, "x", 1) == 1 && !close(plain));
	must(openat(AT_FDCWD, "there", O_RDONLY) < 0);
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
