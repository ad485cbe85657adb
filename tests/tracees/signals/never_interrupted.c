// A 100 µs timer, rearmed in its handler without SA_RESTART, against calls that never end with
// EINTR: none does, under any engine.
//
// calls: getppid 2000 errors 0, pwrite64 2000 errors 0, fstat 2000 errors 0
// varies: all
#include "../tracee.h"
#include <sys/time.h>

static volatile long ticks;
static volatile int is_set;

static void tick(int signal) {
	(void)signal;
	is_set = 0;
	ticks++;
}

int main(void) {
	struct sigaction action = {.sa_handler = tick};
	must(!sigaction(SIGALRM, &action, NULL));
	// Not periodic: where a traced call takes longer than the period, only the handler would run.
	struct itimerval once = {{0, 0}, {0, 100}};
	int file = memfd_create("file", 0);
	char stat[256];
	for (int i = 0; i < 2000; i++) {
		if (!is_set) {
			is_set = 1;
			must(!setitimer(ITIMER_REAL, &once, NULL));
		}
		must(syscall(SYS_getppid) > 0);
		must(pwrite(file, "x", 1, i) == 1);
		must(syscall(SYS_fstat, file, stat) == 0);
	}
	must(ticks > 0);
}
