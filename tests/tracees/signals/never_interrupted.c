// A timer whose handler asks for no restart, every 100 µs, against calls that never end with EINTR: none does, whoever is told of them.
//
// calls: getppid 20000 errors 0, pwrite64 20000 errors 0, fstat 20000 errors 0
// varies: all
#include "../tracee.h"
#include <sys/time.h>

static volatile long ticks;

static void tick(int signal) {
	(void)signal;
	ticks++;
}

int main(void) {
	struct sigaction action = {.sa_handler = tick};
	must(!sigaction(SIGALRM, &action, NULL));
	struct itimerval often = {{0, 100}, {0, 100}};
	must(!setitimer(ITIMER_REAL, &often, NULL));
	int file = memfd_create("file", 0);
	char stat[256];
	for (int i = 0; i < 20000; i++) {
		must(syscall(SYS_getppid) > 0);
		must(pwrite(file, "x", 1, i) == 1);
		must(syscall(SYS_fstat, file, stat) == 0);
	}
	must(ticks > 0);
}
