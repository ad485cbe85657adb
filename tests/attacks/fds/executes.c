// Two tasks share their fds and one of them executes, which gives it its own table: it reads the
// number that the other one opened before.
//
// new: device::read::object=char:zero
// variants: child, parent, thread, known_parent
// times: 3
#include "../attack.h"

static int plain;
static volatile int *made;

static void becomes_reader(void) {
	char number[12];
	snprintf(number, sizeof number, "%d", fresh ? *made : plain);
	execl("/proc/self/exe", "attack", fresh ? "B" : "A", number, (char *)0);
	must(!"executed");
}

static void *executes(void *nothing) {
	sched_yield();
	while (*made < 0) sched_yield();
	becomes_reader();
	return nothing;
}

static void attack(const char *variant) {
	if (variant[0] >= '0' && variant[0] <= '9') {
		reads(atoi(variant));
		return;
	}
	plain = file();
	made = shared(sizeof *made);
	*made = -1;
	if (!strcmp(variant, "thread")) {
		// The thread takes the leader's number.
		thread(executes, 0);
		now(made, device());
		for (;;) pause();
	}
	pid_t child = born(CLONE_FILES);
	if (!child == !strcmp(variant, "child")) executes(0);
	now(made, device());
	if (child) leaves(child);
	else _exit(0);
}
