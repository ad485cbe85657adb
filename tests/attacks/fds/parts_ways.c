// A task leaves the shared table with a copy: an fd opened before is in both tables, one opened
// after is in one. Then it reads by the copy.
//
// new: device::read::object=char:zero
// variants: unshare, close_range, known_unshare
// times: 3
#include "../attack.h"
#include <linux/close_range.h>

static volatile int made = -1, parted;
static const char *way;
static int plain;

static void *parts(void *nothing) {
	sched_yield();
	while (made < 0) sched_yield();
	if (!strcmp(way, "unshare")) must(!unshare(CLONE_FILES));
	else must(!syscall(SYS_close_range, 900, 950, CLOSE_RANGE_UNSHARE));
	now(&parted, 1);
	reads(fresh ? made : plain);
	return nothing;
}

static void attack(const char *variant) {
	way = variant;
	plain = file();
	pthread_t leaver = thread(parts, 0);
	int fd = device();
	now(&made, fd);
	until(&parted, 1);
	must(!close(fd));
	joined(leaver);
}
