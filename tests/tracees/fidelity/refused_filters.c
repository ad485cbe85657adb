// Seccomp filters that the kernel refuses: nothing is filtered, and every engine goes on.
//
// calls: getppid 5, prctl 2 errors 2, seccomp 3 errors 3
#include "../tracee.h"
#include <linux/seccomp.h>

int main(void) {
	must(prctl(PR_SET_SECCOMP, 7, 0, 0, 0) == -1 && errno == EINVAL);
	mark();
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0, 0, 0) == -1 && errno == EFAULT);
	mark();
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1UL << 31, 0) == -1 && errno == EINVAL);
	mark();
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 0) == -1 && errno == EFAULT);
	mark();
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, 0) == -1 && errno == EINVAL);
	mark();
}
