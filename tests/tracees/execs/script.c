// A script that has this program as its interpreter: one execve, after which the interpreter runs.
//
// exit: 8
// calls: execve 2, getppid 1
#include "../tracee.h"

int main(int argc, char **argv) {
	if (argc > 1 && !strcmp(argv[1], "interpret")) {
		mark();
		return 8;
	}
	int script = open("script", O_CREAT | O_TRUNC | O_WRONLY, 0755);
	must(dprintf(script, "#!%s interpret\n", argv[0]) > 0 && !close(script));
	execl("./script", "script", (char *)0);
}
