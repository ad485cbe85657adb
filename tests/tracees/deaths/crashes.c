// Children crash in every way that a program can; other children end by other signals. A handled
// signal does not end its process.
//
// processes: 11
// killed: SIGSEGV 1, SIGBUS 1, SIGILL 1, SIGFPE 1, SIGABRT 1, SIGSYS 1, SIGKILL 1, SIGTERM 1, SIGPIPE 1
// calls: getppid 10
// varies: clone, wait4, pause
#include "faults.h"

static volatile int zero;
static void divides(void) {
	zero = 1 / zero;
	raise(SIGFPE); // Not every processor traps.
}
static void aborts(void) { abort(); }
static void refused(void) { raise(SIGSYS); }
static void killed(void) { for (;;) pause(); }
static void broken_pipe(void) {
	int ends[2];
	must(!pipe(ends) && !close(ends[0]));
	if (write(ends[1], "a", 1)) { }
}
static void handle(int number) { (void)number; }
static void handled(void) {
	signal(SIGSEGV, handle);
	raise(SIGSEGV);
	_exit(0);
}

int main(void) {
	struct { void (*end)(void); int signal, sent; } ends[] = {
		{ segment, SIGSEGV, 0 }, { bus, SIGBUS, 0 }, { illegal, SIGILL, 0 }, { divides, SIGFPE, 0 }, { aborts, SIGABRT, 0 },
		{ refused, SIGSYS, 0 }, { killed, SIGKILL, 1 }, { killed, SIGTERM, 1 }, { broken_pipe, SIGPIPE, 0 }, { handled, 0, 0 },
	};
	for (int i = 0; i < 10; i++) {
		int marked[2];
		char none;
		must(!pipe(marked));
		pid_t child = born();
		if (!child) {
			mark();
			must(!close(marked[1]));
			ends[i].end();
			_exit(1);
		}
		// A signal must not end the child before its mark.
		must(!close(marked[1]) && !read(marked[0], &none, 1) && !close(marked[0]));
		if (ends[i].sent) must(!kill(child, ends[i].signal));
		if (ends[i].signal) dies(child, ends[i].signal);
		else leaves(child, 0);
	}
}
