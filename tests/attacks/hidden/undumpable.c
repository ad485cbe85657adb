// A process that is not dumpable opens and reads a device. A tracer without privileges cannot query
// its fds: the run reports this, or finds the device.
//
// new: device::read | blind_spots::unanswerable
// variants: dumpable_no_more, in_a_child
// user: ordinary
#include "../attack.h"

static void works(void) {
	if (fresh) must(!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	else must(!prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	int odd = device(), plain = file();
	for (int times = 0; times < 3; times++) reads(fresh ? odd : plain);
}

static void attack(const char *variant) {
	if (strcmp(variant, "in_a_child")) {
		works();
		return;
	}
	pid_t child = born(0);
	if (!child) {
		works();
		_exit(0);
	}
	leaves(child);
}
