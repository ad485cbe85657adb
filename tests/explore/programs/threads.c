// Four threads wait in different calls while the first one makes its call.
#include "../../tracees/tracee.h"
#include <poll.h>

static void *sleeps(void *argument) { for (;;) nap(1000); return argument; }
static void *polls(void *argument) { for (;;) poll(0, 0, -1); return argument; }
static void *calls(void *argument) { for (;;) syscall(SYS_getpgid, 0); return argument; }
static void *runs(void *argument) { for (;;) __asm__ volatile("" ::: "memory"); return argument; }

int main(void) {
	thread(sleeps, 0), thread(polls, 0), thread(calls, 0), thread(runs, 0);
	nap(20);
	mark();
	_exit(0);
}
