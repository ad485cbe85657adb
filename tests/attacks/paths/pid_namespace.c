// In a PID namespace with its own proc mount a process has another number, and /proc/self leads to
// it.
//
// new: device::openat::object=char:zero, device::read::object=char:zero
// variants: self, thread_self, by_number, elsewhere, fd_of_proc, below_root
// needs: user namespaces
#include "../attack.h"

static int opens(const char *way, const char *name) {
	char path[64];
	const char *folder = "/proc/self/cwd";
	if (!strcmp(way, "thread_self")) folder = "/proc/thread-self/cwd";
	if (!strcmp(way, "by_number")) folder = "/proc/1/cwd";
	if (!strcmp(way, "elsewhere")) folder = "own/self/cwd";
	if (!strcmp(way, "below_root")) folder = "/proc/self/root/proc/self/cwd";
	int at = AT_FDCWD;
	if (!strcmp(way, "fd_of_proc")) {
		at = opened("/proc", O_RDONLY | O_DIRECTORY);
		folder = "self/cwd";
	}
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return openat(at, path, O_RDONLY);
}

static void attack(const char *variant) {
	int plain = open("plain", O_RDWR | O_CREAT, 0600);
	must(plain >= 0 && write(plain, "xxxx", 4) == 4 && !close(plain));
	must(!symlink(fresh ? "/dev/zero" : "plain", "way") && !mkdir("own", 0700));
	int flags = CLONE_NEWPID | CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0);
	if (unshare(flags)) impossible("namespaces");
	must(!mount("none", "/", 0, MS_REC | MS_PRIVATE, 0));
	pid_t child = born(0);
	if (!child) {
		if (mount("proc", !strcmp(variant, "elsewhere") ? "own" : "/proc", "proc", 0, 0)) impossible("a proc of its own");
		int fd = opens(variant, "way");
		must(fd >= 0);
		for (int times = 0; times < 3; times++) reads(fd);
		_exit(0);
	}
	leaves(child);
}
