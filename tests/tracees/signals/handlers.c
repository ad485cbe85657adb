// Handlers on an alternate stack, nested handlers, a longjmp out of a handler, a one-shot handler:
// as untraced.
//
// output: usr1 usr2 once jumped
// calls: getppid 5
#include "../tracee.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile sig_atomic_t inside;

static void second(int number) {
	(void)number;
	mark();
	inside = 2;
}
static void first(int number, siginfo_t *from, void *context) {
	(void)from, (void)context;
	mark();
	inside = 1;
	raise(SIGUSR2);
	must(inside == 2 && number == SIGUSR1);
}
static void once(int number) {
	(void)number;
	mark();
}
static void jump(int number) {
	mark();
	siglongjmp(back, number);
}

int main(void) {
	static char stack[65536];
	stack_t own = { .ss_sp = stack, .ss_size = sizeof stack };
	must(!sigaltstack(&own, 0));
	struct sigaction actions[] = {
		{ .sa_sigaction = first, .sa_flags = SA_SIGINFO | SA_ONSTACK }, { .sa_handler = second, .sa_flags = SA_ONSTACK },
		{ .sa_handler = once, .sa_flags = SA_RESETHAND }, { .sa_handler = jump, .sa_flags = SA_NODEFER },
	};
	sigaction(SIGUSR1, &actions[0], 0);
	sigaction(SIGUSR2, &actions[1], 0);
	sigaction(SIGHUP, &actions[2], 0);
	sigaction(SIGSEGV, &actions[3], 0);
	raise(SIGUSR1);
	raise(SIGHUP);
	struct sigaction now;
	must(!sigaction(SIGHUP, 0, &now) && now.sa_handler == SIG_DFL);
	if (!sigsetjmp(back, 1)) *(volatile int *)8 = 1;
	mark();
	must(write(1, "usr1 usr2 once jumped\n", 22) == 22);
}
