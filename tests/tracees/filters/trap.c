// The filter returns TRAP: the program's SIGSYS handler sets the result of the call.
//
// blind: seccomp_filter
// calls: getppid 3, rt_sigreturn 3
// needs: x86_64
#include "filter.h"
#include <ucontext.h>

static void handle(int number, siginfo_t *from, void *context) {
	must(number == SIGSYS && from->si_code == 1 && from->si_syscall == SYS_getppid);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = 4711;
}

int main(void) {
	struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO };
	sigaction(SIGSYS, &action, 0);
	answer_marks_with(SECCOMP_RET_TRAP, 0);
	for (int i = 0; i < 3; i++) must(syscall(SYS_getppid) == 4711);
}
