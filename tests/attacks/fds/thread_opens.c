// A thread makes an fd that only the main thread uses.
//
// new: device::read::object=char:zero | device::read::object=char:null
// variants: opened, duplicated, renumbered, received, fetched, made_beside_a_spinning_one
// variants: known_opened
// times: 4
#include "../attack.h"

static volatile int made = -1;
static const char *way;
static int ends[2], go[2], done[2];

static void *makes(void *nothing) {
	int fd = -1, spins = way[0] == 'm';
	if (!spins) reads(go[0]);
	if (spins || !strcmp(way, "opened")) fd = device();
	if (!strcmp(way, "duplicated")) fd = dup(0);
	if (!strcmp(way, "renumbered")) fd = dup2(0, 77);
	if (!strcmp(way, "received")) fd = receives(ends[1]);
	if (!strcmp(way, "fetched")) {
		int own = syscall(SYS_pidfd_open, getpid(), 0);
		fd = syscall(SYS_pidfd_getfd, own, 0, 0);
		must(!close(own));
	}
	must(fd >= 0);
	now(&made, fd);
	if (!spins) must(write(done[1], "x", 1) == 1);
	reads(go[0]);
	return nothing;
}

// Some variants pass standard input on: it is /dev/null, so nothing can be read from it.
static void reads_any(int fd) {
	char byte;
	must(read(fd, &byte, 1) >= 0);
}

static void attack(const char *variant) {
	way = variant;
	int plain = file();
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends) && !pipe(go) && !pipe(done));
	sends(ends[0], 0);
	pthread_t maker = thread(makes, 0);
	if (way[0] == 'm') {
		sched_yield();
		while (made < 0) sched_yield();
	} else {
		must(write(go[1], "x", 1) == 1);
		reads(done[0]);
	}
	for (int times = 0; times < 3; times++) reads_any(fresh ? made : plain);
	must(write(go[1], "x", 1) == 1);
	joined(maker);
}
