// A thread changes the flags of clone3 during the call: the child shares its fds although a look
// shows that it does not. It opens a device, the parent reads it.
//
// new: device::read::object=char:zero
// happens: by chance
// times: 3
#include "../attack.h"

static struct clone_args *wanted;
static volatile int over;

static void *flips(void *nothing) {
	on_cpu(1);
	while (!over) {
		__atomic_fetch_xor(&wanted->flags, CLONE_FILES, __ATOMIC_SEQ_CST);
		for (volatile int wait = 0; wait < 200; wait++) { }
	}
	return nothing;
}

static void attack(const char *variant) {
	(void)variant;
	volatile int *made = shared(sizeof *made);
	wanted = shared(sizeof *wanted);
	wanted->exit_signal = SIGCHLD;
	int plain = file(), found = 0;
	pthread_t flipper = thread(flips, 0);
	on_cpu(0);
	for (int tries = 0; tries < 30; tries++) {
		*made = -1;
		pid_t child = syscall(SYS_clone3, wanted, sizeof *wanted);
		must(child >= 0);
		if (!child) {
			mortal();
			// Above the numbers that the parent uses.
			int fd = fcntl(device(), F_DUPFD, 100 + tries);
			must(fd >= 0);
			now(made, fd);
			_exit(0);
		}
		leaves(child);
		char byte;
		// If the table was not shared, the number is free.
		ssize_t got = read(fresh ? *made : plain, &byte, 1);
		must(got >= 0 || (fresh && errno == EBADF));
		found += got > 0;
		must(read(999, &byte, 1) < 0);
	}
	over = 1;
	joined(flipper);
	if (fresh && !found) _exit(NO_RACE);
}
