// clone3 writes a result over its own flags: the flags at entry count. The child shares its fds and
// opens a device, the parent reads it.
//
// new: device::read::object=char:zero
// variants: parent_tid, pidfd, child_tid
// times: 3
#include "../attack.h"

static void attack(const char *variant) {
	struct {
		char before[16];
		struct clone_args wanted;
	} *space = shared(sizeof *space);
	volatile int *made = shared(sizeof *made), *seen = shared(sizeof *seen);
	*made = -1;
	int plain = file();
	struct clone_args *wanted = &space->wanted;
	wanted->exit_signal = SIGCHLD;
	wanted->flags = CLONE_FILES;
	// The upper half of a task's number is zero: written over the flags, it clears them all.
	uint64_t over = (uintptr_t)&wanted->flags - 2;
	if (!strcmp(variant, "parent_tid")) wanted->flags |= CLONE_PARENT_SETTID, wanted->parent_tid = over;
	if (!strcmp(variant, "child_tid")) wanted->flags |= CLONE_CHILD_SETTID, wanted->child_tid = over;
	if (!strcmp(variant, "pidfd")) wanted->flags |= CLONE_PIDFD, wanted->pidfd = (uintptr_t)&wanted->flags;
	pid_t child = syscall(SYS_clone3, wanted, sizeof *wanted);
	must(child >= 0);
	if (!child) {
		mortal();
		now(made, device());
		until(seen, 1);
		_exit(0);
	}
	sched_yield();
	while (*made < 0) sched_yield();
	for (int times = 0; times < 3; times++) reads(fresh ? *made : plain);
	now(seen, 1);
	leaves(child);
}
