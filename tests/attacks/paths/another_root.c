// After chroot a path means another file.
//
// new: memory::openat::object=memfd, memory::read::object=memfd
// variants: proc, bound
// needs: root
#include "../attack.h"

static void attack(const char *variant) {
	int memory = memfd_create("attack", 0), plain = file();
	must(memory >= 0 && write(memory, "x", 1) == 1);
	must(dup2(memory, 701) == 701 && dup2(plain, 702) == 702);
	char path[64];
	if (!strcmp(variant, "proc")) must(!chroot("/proc") && !chdir("/"));
	else {
		if (unshare(CLONE_NEWNS)) impossible("a mount namespace");
		must(!mount("none", "/", 0, MS_REC | MS_PRIVATE, 0));
		must(!mkdir("root", 0700) && !mkdir("root/proc", 0700));
		must(!mount("/proc/self", "root/proc", 0, MS_BIND, 0));
		must(!chroot("root") && !chdir("/"));
	}
	snprintf(path, sizeof path, "%s/fd/%d", !strcmp(variant, "proc") ? "/self" : "/proc", fresh ? 701 : 702);
	int fd = openat(AT_FDCWD, path, O_RDONLY);
	must(fd >= 0);
	reads(fd);
}
