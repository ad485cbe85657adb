// A timer interrupts code at any place, and its handler makes a call.
#include "../../tracees/tracee.h"
#include <sys/time.h>

static volatile sig_atomic_t handled;
static volatile unsigned long turns;

static void handle(int number) {
	(void)number;
	syscall(SYS_getpgid, 0);
	handled++;
}

static void __attribute__((noinline)) one(void) { turns++; }
static void __attribute__((noinline)) two(void) { for (int i = 0; i < 100; i++) one(); }

int main(void) {
	struct sigaction action = { .sa_handler = handle };
	must(!sigaction(SIGALRM, &action, 0));
	struct itimerval soon = { .it_value = { 0, 3000 } };
	must(!setitimer(ITIMER_REAL, &soon, 0));
	while (!handled) { one(); two(); }
	mark();
}
