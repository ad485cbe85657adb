// A process that is not dumpable asks clone3 for a namespace: a tracer without privileges must read
// the flags in its memory.
//
// new: namespace
// variants: user_namespace, threads_too
// user: ordinary
#include "../attack.h"

static volatile int over;

static void *waits(void *nothing) {
	while (!over) sched_yield();
	return nothing;
}

static void attack(const char *variant) {
	must(!prctl(PR_SET_DUMPABLE, fresh ? 0 : 1, 0, 0, 0));
	int beside = !strcmp(variant, "threads_too");
	pthread_t other = 0;
	if (beside) other = thread(waits, 0);
	struct clone_args wanted = { .exit_signal = SIGCHLD };
	if (fresh) wanted.flags = CLONE_NEWUSER;
	pid_t child = syscall(SYS_clone3, &wanted, sizeof wanted);
	if (child < 0) impossible("a user namespace");
	if (!child) _exit(0);
	leaves(child);
	over = 1;
	if (beside) joined(other);
}
