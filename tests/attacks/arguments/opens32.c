// A 32-bit program opens a file for writing for the first time.
//
// new: filesystem::openat::O_WRONLY|O_CREAT,file | filesystem::open::O_WRONLY|O_CREAT,file
// variants: open, openat
// needs: 32-bit programs
// build: -m32
// times: 2
#include "../attack.h"

static void attack(const char *variant) {
	int flags = fresh ? O_WRONLY | O_CREAT : O_RDONLY;
	const char *path = fresh ? "made" : "/etc/passwd";
	// The C library's open uses openat.
	long fd = !strcmp(variant, "open") ? syscall(SYS_open, path, flags, 0600) : open(path, flags, 0600);
	must(fd >= 0 && !close(fd));
}
