// Two hundred children are killed right after their birth, most before their first stop.
//
// processes: 201
// killed: SIGKILL 200
// calls: kill 200
// varies: getppid, clone, wait4
#include "../tracee.h"

int main(void) {
	for (int i = 0; i < 200; i++) {
		pid_t child = born();
		if (!child) for (;;) mark();
		kill(child, SIGKILL);
		dies(child, SIGKILL);
	}
}
