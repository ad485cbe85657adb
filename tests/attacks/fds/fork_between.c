// A thread opens a device while another one forks: the child has a copy of all fds and reads the
// device. Forks occur before, during and after the open.
//
// new: device::read::object=char:zero
// variants: fork, clone3, clone3_vfork, known_fork
// times: 3
#include "../attack.h"

static volatile int made = -1;

static void *opens(void *nothing) {
	now(&made, device());
	return nothing;
}

static pid_t makes(const char *way) {
	if (!strcmp(way, "fork")) return fork();
	struct clone_args wanted = { .exit_signal = SIGCHLD, .flags = !strcmp(way, "clone3_vfork") ? CLONE_VFORK : 0 };
	return syscall(SYS_clone3, &wanted, sizeof wanted);
}

static void attack(const char *variant) {
	int plain = file(), number = next_fd();
	pthread_t opener = thread(opens, 0);
	for (int births = 0; births < 12; births++) {
		pid_t child = makes(variant);
		must(child >= 0);
		if (!child) {
			mortal();
			char byte;
			// Before the device is opened, its number is free.
			must(read(fresh ? number : plain, &byte, 1) >= 0 || (fresh && errno == EBADF));
			_exit(0);
		}
		leaves(child);
		sched_yield();
	}
	joined(opener);
	pid_t last = born(0);
	if (!last) {
		reads(fresh ? made : plain);
		_exit(0);
	}
	leaves(last);
}
