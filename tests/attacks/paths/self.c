// A process opens one of its own fds by a path below /proc/self, spelled in different ways: the
// object is the one that the kernel finds for that task.
//
// new: memory::openat::object=memfd, memory::read::object=memfd
// variants: plain, double_slash, leading_slashes, dot, dot_dot, by_number, thread_self, task
// variants: dev_fd, dev_fd_odd, root_link, link_to_proc, link_to_self, link_to_fd, two_links
// variants: link_below_dev, cwd_link, fd_of_proc, fd_of_self, fd_of_fds, chdir_proc, chdir_self
// variants: chdir_fd
#include "../attack.h"

static int target;

static const char *path(const char *pattern) {
	static char text[128];
	snprintf(text, sizeof text, pattern, target);
	return text;
}

static int below(const char *folder, const char *pattern) {
	int at = opened(folder, O_RDONLY | O_DIRECTORY);
	return openat(at, path(pattern), O_RDONLY);
}

static int linked(const char *to, const char *name, const char *pattern) {
	must(!symlink(to, name));
	return openat(AT_FDCWD, path(pattern), O_RDONLY);
}

static int moved(const char *folder, const char *pattern) {
	must(!chdir(folder));
	return openat(AT_FDCWD, path(pattern), O_RDONLY);
}

static int spelled(const char *variant) {
	static const char *const SPELLINGS[][2] = {
		{"plain", "/proc/self/fd/%d"}, {"double_slash", "/proc//self/fd/%d"}, {"leading_slashes", "//proc/self/fd/%d"},
		{"dot", "/proc/./self/fd/%d"}, {"dot_dot", "/proc/sys/../self/fd/%d"}, {"thread_self", "/proc/thread-self/fd/%d"},
		{"task", "/proc/self/task/../fd/%d"}, {"dev_fd", "/dev/fd/%d"}, {"dev_fd_odd", "/dev/./fd//%d"},
		{"root_link", "/proc/self/root/proc/self/fd/%d"},
	};
	for (size_t row = 0; row < sizeof SPELLINGS / sizeof *SPELLINGS; row++) {
		if (!strcmp(variant, SPELLINGS[row][0])) return openat(AT_FDCWD, path(SPELLINGS[row][1]), O_RDONLY);
	}
	if (!strcmp(variant, "by_number")) {
		char pattern[64];
		snprintf(pattern, sizeof pattern, "/proc/%d/fd/%%d", getpid());
		return openat(AT_FDCWD, path(pattern), O_RDONLY);
	}
	if (!strcmp(variant, "link_to_proc")) return linked("/proc", "p", "p/self/fd/%d");
	if (!strcmp(variant, "link_to_self")) return linked("/proc/self", "s", "s/fd/%d");
	if (!strcmp(variant, "link_to_fd")) return linked(path("/proc/self/fd/%d"), "f", "f");
	if (!strcmp(variant, "link_below_dev")) return linked("/dev/fd", "d", "d/%d");
	if (!strcmp(variant, "two_links")) {
		must(!symlink("/proc/self", "one"));
		return linked("one/fd", "two", "two/%d");
	}
	if (!strcmp(variant, "cwd_link")) {
		must(!symlink(path("/proc/self/fd/%d"), "own"));
		return linked("/proc/self/cwd", "c", "c/own");
	}
	if (!strcmp(variant, "fd_of_proc")) return below("/proc", "self/fd/%d");
	if (!strcmp(variant, "fd_of_self")) return below("/proc/self", "fd/%d");
	if (!strcmp(variant, "fd_of_fds")) return below("/proc/self/fd", "%d");
	if (!strcmp(variant, "chdir_proc")) return moved("/proc", "self/fd/%d");
	if (!strcmp(variant, "chdir_self")) return moved("/proc/self", "fd/%d");
	must(!strcmp(variant, "chdir_fd"));
	return moved("/proc/self/fd", "%d");
}

// The tracer has no fds with numbers this high.
static void attack(const char *variant) {
	int memory = memfd_create("attack", 0), plain = file();
	must(memory >= 0 && write(memory, "x", 1) == 1);
	must(dup2(memory, 701) == 701 && dup2(plain, 702) == 702);
	target = fresh ? 701 : 702;
	int fd = spelled(variant);
	must(fd >= 0);
	reads(fd);
}
