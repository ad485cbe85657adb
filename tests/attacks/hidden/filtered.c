// A process with a seccomp filter of its own clears its dumpability, and opens and reads a device.
// The tracer leaves such a process alone. Mode A does the same with a file, and both report what
// could not be queried.
//
// held: blind_spots::seccomp_filter, blind_spots::unanswerable
// user: ordinary
#include "../attack.h"
#include <linux/filter.h>
#include <linux/seccomp.h>

static void attack(const char *variant) {
	(void)variant;
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };
	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
	must(!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	int odd = device(), plain = file();
	for (int times = 0; times < 3; times++) reads(fresh ? odd : plain);
}
