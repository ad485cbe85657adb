// In a PID namespace with a proc of its own a process has another number, and that is whose fds /proc/self leads to.
//
// new: memory::openat::object=memfd, memory::read::object=memfd
// variants: self, thread_self, by_number, dev_fd, elsewhere, fd_of_proc, old_proc
// needs: user namespaces
#include "../attack.h"

static int opens(const char *way, int number) {
	char path[64];
	const char *folder = "/proc/self/fd";
	if (!strcmp(way, "thread_self")) folder = "/proc/thread-self/fd";
	if (!strcmp(way, "by_number")) folder = "/proc/1/fd";
	if (!strcmp(way, "dev_fd")) folder = "/dev/fd";
	if (!strcmp(way, "elsewhere")) folder = "own/self/fd";
	if (!strcmp(way, "fd_of_proc")) {
		snprintf(path, sizeof path, "self/fd/%d", number);
		return openat(opened("/proc", O_RDONLY | O_DIRECTORY), path, O_RDONLY);
	}
	snprintf(path, sizeof path, "%s/%d", folder, number);
	return openat(AT_FDCWD, path, O_RDONLY);
}

static void attack(const char *variant) {
	int memory = memfd_create("attack", 0), plain = file();
	must(memory >= 0 && write(memory, "x", 1) == 1);
	must(dup2(memory, 701) == 701 && dup2(plain, 702) == 702);
	int flags = CLONE_NEWPID | CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0);
	if (unshare(flags)) impossible("namespaces");
	must(!mount("none", "/", 0, MS_REC | MS_PRIVATE, 0));
	must(!mkdir("own", 0700));
	pid_t child = born(0);
	if (!child) {
		// The old proc has no number for a process of this one, so it is below no `self` there.
		if (strcmp(variant, "old_proc")) {
			const char *at = !strcmp(variant, "elsewhere") ? "own" : "/proc";
			if (mount("proc", at, "proc", 0, 0)) impossible("a proc of its own");
		}
		int fd = opens(variant, fresh ? 701 : 702);
		must(fd >= 0);
		reads(fd);
		_exit(0);
	}
	leaves(child);
}
