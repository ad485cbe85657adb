// A busy program and its child find their CPU affinity unchanged.
//
// processes: 2
// calls: getppid 10000
#include "../tracee.h"

static void must_have(const cpu_set_t *cpus) {
	cpu_set_t now;
	must(!sched_getaffinity(0, sizeof now, &now) && CPU_EQUAL(&now, cpus));
}

int main(void) {
	cpu_set_t cpus;
	must(!sched_getaffinity(0, sizeof cpus, &cpus));
	marks(5000);
	must_have(&cpus);
	pid_t child = born();
	if (!child) {
		must_have(&cpus);
		marks(5000);
		must_have(&cpus);
		_exit(3);
	}
	leaves(child, 3);
	must_have(&cpus);
}
