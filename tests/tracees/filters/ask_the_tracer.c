// The filter returns TRACE. The tracer does not answer, so the call fails with ENOSYS as it does
// without a tracer.
//
// blind: seccomp_filter
// calls: getppid 2 errors 2
#include "filter.h"

int main(void) {
	answer_marks_with(SECCOMP_RET_TRACE | 7, 0);
	for (int i = 0; i < 2; i++) must(syscall(SYS_getppid) == -1 && errno == ENOSYS);
}
