// A process shares its fds by CLONE_FILES, but no memory: one opens, the other reads.
//
// new: device::read::object=char:zero
// variants: child_opens, parent_opens, grandchild_opens, shares_memory, vfork_shares
// variants: known_child_opens, known_parent_opens, known_shares_memory
// times: 4
#include "../attack.h"

static volatile int *made;

static void opens(void) { now(made, device()); }

static void uses(int plain) {
	sched_yield();
	while (*made < 0) sched_yield();
	reads(fresh ? *made : plain);
}

static int opens_on_a_stack(void *nothing) {
	(void)nothing;
	opens();
	return 0;
}

static void attack(const char *variant) {
	static char stack[1 << 16] __attribute__((aligned(16)));
	made = shared(sizeof *made);
	*made = -1;
	int plain = file();
	if (!strcmp(variant, "shares_memory") || !strcmp(variant, "vfork_shares")) {
		int flags = CLONE_FILES | CLONE_VM | SIGCHLD | (variant[0] == 'v' ? CLONE_VFORK : 0);
		pid_t child = clone(opens_on_a_stack, stack + sizeof stack, flags, 0);
		must(child > 0);
		uses(plain);
		leaves(child);
		return;
	}
	pid_t child = born(CLONE_FILES);
	if (!child) {
		if (!strcmp(variant, "child_opens")) opens();
		else if (!strcmp(variant, "parent_opens")) uses(plain);
		else {
			pid_t grandchild = born(CLONE_FILES);
			if (!grandchild) {
				opens();
				_exit(0);
			}
			leaves(grandchild);
		}
		_exit(0);
	}
	if (!strcmp(variant, "parent_opens")) opens();
	else uses(plain);
	leaves(child);
}
