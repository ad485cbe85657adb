// Two processes that take turns find each other's CPU affinity unchanged.
//
// processes: 2
// calls: getppid 1000
#include "../tracee.h"

static cpu_set_t cpus;

static void must_have(pid_t task) {
	cpu_set_t now;
	must(!sched_getaffinity(task, sizeof now, &now) && CPU_EQUAL(&now, &cpus));
}

// Each process waits for the other and checks its affinity now and then.
static void take_turns(int from, int to, pid_t other, int serves) {
	char ball = 0;
	for (int turn = 0; turn < 500; turn++) {
		must(!serves || write(to, &ball, 1) == 1);
		must(read(from, &ball, 1) == 1);
		marks(1);
		if (turn % 100 == 50) {
			must_have(0);
			must_have(other);
		}
		must(serves || write(to, &ball, 1) == 1);
	}
}

int main(void) {
	int there[2], back[2];
	must(!sched_getaffinity(0, sizeof cpus, &cpus));
	must(!pipe(there) && !pipe(back));
	pid_t parent = getpid(), child = born();
	if (!child) {
		must(!close(there[1]) && !close(back[0]));
		take_turns(there[0], back[1], parent, 0);
		_exit(3);
	}
	must(!close(there[0]) && !close(back[1]));
	take_turns(back[0], there[1], child, 1);
	leaves(child, 3);
}
