// A thread sets CLONE_UNTRACED in the flags of clone3 during the call. The child opens a socket and
// would outlive its parent: it is traced, or the run reports that it was not. It ends with the tree
// in any case.
//
// new: network::socket | blind_spots::untraced_child
// happens: by chance
// times: 6
#include "../attack.h"

static struct clone_args *wanted;
static volatile int over;

static void *flips(void *nothing) {
	on_cpu(1);
	while (!over) {
		// Flips both at once: the child learns from its fds which flags the kernel read.
		__atomic_fetch_xor(&wanted->flags, CLONE_UNTRACED | CLONE_FILES, __ATOMIC_SEQ_CST);
		for (volatile int wait = 0; wait < 300; wait++) { }
	}
	return nothing;
}

static void attack(const char *variant) {
	(void)variant;
	wanted = shared(sizeof *wanted);
	volatile int *hidden = shared(sizeof *hidden);
	wanted->exit_signal = SIGCHLD;
	must(dup2(0, 90) == 90);
	pthread_t flipper = thread(flips, 0);
	on_cpu(0);
	for (int tries = 0; tries < 20 && !*hidden; tries++) {
		pid_t child = syscall(SYS_clone3, wanted, sizeof *wanted);
		must(child >= 0);
		if (!child) {
			// Also closes the parent's fd if the table is shared.
			close(90);
			if (fresh) {
				alarm(6);
				// Only a child that was made with CLONE_UNTRACED opens the socket.
				for (int waits = 0; waits < 1000 && !*hidden; waits++) usleep(1000);
				if (*hidden == getpid()) {
					socket(AF_INET, SOCK_DGRAM, 0);
					*hidden = -1;
					for (;;) pause();
				}
			}
			_exit(0);
		}
		usleep(2000);
		if (fcntl(90, F_GETFD) < 0) {
			*hidden = child;
			must(dup2(0, 90) == 90);
		}
	}
	over = 1;
	joined(flipper);
	if (!fresh) return;
	if (!*hidden) _exit(NO_RACE);
	for (int waits = 0; waits < 3000 && *hidden != -1; waits++) usleep(1000);
	must(*hidden == -1);
}
