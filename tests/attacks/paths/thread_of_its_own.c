// A thread has its own fd table. /proc/self/fd and /dev/fd show the leader's table,
// /proc/thread-self/fd shows the thread's.
//
// new: memory::openat::object=memfd, memory::read::object=memfd
// variants: self, dev_fd, thread_self, fd_of_self
#include "../attack.h"

static const char *way;

static int opens(int number) {
	char path[64];
	if (!strcmp(way, "fd_of_self")) {
		snprintf(path, sizeof path, "fd/%d", number);
		return openat(opened("/proc/self", O_RDONLY | O_DIRECTORY), path, O_RDONLY);
	}
	const char *folder = way[0] == 's' ? "/proc/self/fd" : way[0] == 'd' ? "/dev/fd" : "/proc/thread-self/fd";
	snprintf(path, sizeof path, "%s/%d", folder, number);
	return openat(AT_FDCWD, path, O_RDONLY);
}

static void *works(void *nothing) {
	must(!unshare(CLONE_FILES));
	int memory = memfd_create("attack", 0), plain = file();
	must(memory >= 0 && write(memory, "x", 1) == 1);
	int is_leaders = way[0] != 't';
	// The number is the memfd's in one of the tables and the file's in the other.
	must(dup2(is_leaders ? plain : memory, 701) == 701 && dup2(is_leaders ? memory : plain, 702) == 702);
	int fd = opens(fresh ? 701 : 702);
	must(fd >= 0);
	reads(fd);
	return nothing;
}

static void attack(const char *variant) {
	way = variant;
	int memory = memfd_create("attack", 0), plain = file();
	must(memory >= 0 && write(memory, "x", 1) == 1);
	must(dup2(memory, 701) == 701 && dup2(plain, 702) == 702);
	joined(thread(works, 0));
}
