// Bad fds, bad addresses and missing files have no object, and no query about them was refused.
//
// calls: getppid 1, clone3 2 errors 2
#include "../tracee.h"
#include <sys/stat.h>

#define fails(call, number) must((call) == -1 && errno == (number))

int main(void) {
	char byte, endless[5000], *nowhere = (char *)8;
	struct stat found;
	memset(endless, 'x', sizeof endless - 1);
	endless[sizeof endless - 1] = 0;
	fails(pread(99, &byte, 1, 0), EBADF);
	fails(pread(-1, &byte, 1, 0), EBADF);
	fails(close(99), EBADF);
	fails(open(nowhere, O_RDONLY), EFAULT);
	fails(stat(nowhere, &found), EFAULT);
	fails(unlink(nowhere), EFAULT);
	fails(stat("/no/such/file", &found), ENOENT);
	fails(unlink("/dev/null/file"), ENOTDIR);
	fails(stat(endless, &found), ENAMETOOLONG);
	fails(fstatat(99, "file", &found, 0), EBADF);
	fails(stat("/proc/self/fd/99", &found), ENOENT);
	fails(syscall(SYS_clone3, nowhere, sizeof(struct clone_args)), EFAULT);
	fails(syscall(SYS_clone3, 0, sizeof(struct clone_args)), EFAULT);
	mark();
}
