// The program's own filter returns an errno: the call was made, and failed.
//
// blind: seccomp_filter
// calls: getppid 3 errors 3
#include "filter.h"

int main(void) {
	answer_marks_with(SECCOMP_RET_ERRNO | EXDEV, 0);
	for (int i = 0; i < 3; i++) must(syscall(SYS_getppid) == -1 && errno == EXDEV);
}
