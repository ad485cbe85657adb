// Reads and sets the value of PR_SET_DUMPABLE, and makes programs that may not be read.
#include "../tracee.h"
#include <sys/sendfile.h>
#include <sys/stat.h>

static inline int dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

static inline int set_dumpable(unsigned long value) { return prctl(PR_SET_DUMPABLE, value, 0, 0, 0); }

// The first value in a program that may not be read: "suid_dumpable", proc_sys_fs(5).
static inline int unreadable_value(void) {
	char text[8] = "";
	int file = open("/proc/sys/fs/suid_dumpable", O_RDONLY);
	must(file >= 0 && read(file, text, sizeof text - 1) > 0 && !close(file));
	return atoi(text);
}

// Forks a child that has this value, and then another one of its own.
static inline void forks_with(int value) {
	pid_t child = born();
	if (!child) {
		mark();
		must(dumpable() == value && !set_dumpable(1) && dumpable() == 1);
		_exit(3);
	}
	leaves(child, 3);
	must(dumpable() == value);
}

// Makes an executable copy of this program with this mode.
static inline void copy(const char *program, const char *to, mode_t mode) {
	struct stat status;
	int from = open(program, O_RDONLY), file = open(to, O_WRONLY | O_CREAT | O_EXCL, 0700);
	must(from >= 0 && file >= 0 && !fstat(from, &status));
	for (off_t left = status.st_size; left > 0;) {
		ssize_t done = sendfile(file, from, 0, left);
		must(done > 0);
		left -= done;
	}
	must(!close(from) && !fchmod(file, mode) && !close(file));
}
