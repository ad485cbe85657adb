// An empty LD_PRELOAD names no library.
//
// calls: execve 2
#include "../tracee.h"

int main(void) {
	char *const arguments[] = { "true", 0 }, *const environment[] = { "LD_PRELOAD=", 0 };
	execve("/bin/true", arguments, environment);
	must(0);
}
