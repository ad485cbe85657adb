// A breakpoint instruction and the processor's trap flag: the program's own handler gets both
// signals, each with the kernel's code.
//
// calls: getppid 2
// needs: x86_64
#include "../tracee.h"
#include <ucontext.h>

static volatile int codes[2], seen;
static void handle(int number, siginfo_t *from, void *context) {
	must(number == SIGTRAP && seen < 2);
	codes[seen++] = from->si_code;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100L;
	mark();
}

int main(void) {
	struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO };
	sigaction(SIGTRAP, &action, 0);
	__asm__ volatile("int3");
	must(seen == 1 && codes[0] == SI_KERNEL);
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop" ::: "memory", "cc");
	must(seen == 2 && codes[1] == TRAP_TRACE);
}
