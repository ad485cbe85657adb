// A process that is not dumpable opens and reads a device. A tracer without privileges must still
// find it.
//
// new: device::read
// variants: directly, in_a_child, in_a_child_only, in_a_thread, by_a_thread, by_a_vfork
// user: ordinary
#include "../attack.h"

static void *becomes(void *nothing) {
	must(!prctl(PR_SET_DUMPABLE, fresh ? 0 : 1, 0, 0, 0));
	return nothing;
}

static void *works(void *nothing) {
	int odd = device(), plain = file();
	for (int times = 0; times < 3; times++) reads(fresh ? odd : plain);
	return nothing;
}

static void attack(const char *variant) {
	if (!strcmp(variant, "by_a_thread")) joined(thread(becomes, 0));
	else if (!strcmp(variant, "by_a_vfork")) {
		pid_t child = vfork();
		if (!child) {
			becomes(0);
			_exit(0);
		}
		leaves(child);
	} else if (strcmp(variant, "in_a_child_only")) becomes(0);
	if (!strcmp(variant, "in_a_thread")) joined(thread(works, 0));
	else if (!strcmp(variant, "in_a_child") || !strcmp(variant, "in_a_child_only")) {
		pid_t child = born(0);
		if (!child) {
			if (strcmp(variant, "in_a_child")) becomes(0);
			works(0);
			_exit(0);
		}
		leaves(child);
	}
	works(0);
}
