// A process that is not dumpable asks clone3 for a namespace, or for an untraced child: a tracer
// without privileges cannot read its flags.
//
// new: namespace | blind_spots::untraced_child | blind_spots::unanswerable
// variants: user_namespace, untraced, threads_too
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
	if (fresh) wanted.flags = strcmp(variant, "untraced") ? CLONE_NEWUSER : CLONE_UNTRACED;
	pid_t child = syscall(SYS_clone3, &wanted, sizeof wanted);
	if (child < 0) impossible("a user namespace");
	if (!child) {
		// An untraced child must not outlive the trial.
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		_exit(0);
	}
	leaves(child);
	over = 1;
	if (beside) joined(other);
}
