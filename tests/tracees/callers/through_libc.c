// A call in a callback that the C library calls, and in a function that the compiler inlined.
//
// calls: getppid 1
// stack: getppid < compare at 11 < sorts at 17 < main at 22
#include "../tracee.h"

static int asked;

static int compare(const void *left, const void *right) {
	// The line reported for a return address is that of the call.
	if (!asked++) asked += getppid() < 0;
	return *(const char *)left - *(const char *)right;
}

static inline __attribute__((always_inline)) int sorts(char *letters) {
	size_t count = strlen(letters);
	qsort(letters, count, 1, compare);
	return letters[0];
}

int main(int count, char **arguments) {
	must(sorts(arguments[count - 1]) != 0);
}
