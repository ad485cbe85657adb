// Every common execve error; the program goes on each time.
//
// calls: execve 5 errors 4, getppid 4
#include "../tracee.h"

static void fails(const char *path, int why) {
	char *argv[] = { "nothing", 0 };
	must(execv(path, argv) == -1 && errno == why);
	mark();
}

int main(void) {
	must(close(open("garbage", O_CREAT | O_WRONLY, 0755)) == 0);
	fails("/nowhere", ENOENT);
	fails("/", EACCES);
	fails("/dev/null/x", ENOTDIR);
	fails("garbage", ENOEXEC);
}
