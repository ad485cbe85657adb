// A program executes another one with LD_PRELOAD set: the calls of that one may be the library's.
//
// blind: ld_preload
// calls: execve 2
#include "../tracee.h"

int main(void) {
	char *const arguments[] = { "true", 0 }, *const environment[] = { "LD_PRELOAD=libc.so.6", 0 };
	execve("/bin/true", arguments, environment);
	must(0);
}
