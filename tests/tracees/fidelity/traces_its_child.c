// A program tries to be a debugger: its child's PTRACE_TRACEME and its own attach both fail, since
// both are traced already. Everything else works.
//
// exit: 2
// untraced: 0
// processes: 2
// killed: SIGKILL 1
// blind: ptrace_refused
// calls: getppid 1
// strace: prevents tracing just as sysguard does
#include "../tracee.h"
#include <sys/ptrace.h>

int main(void) {
	int refused = 0;
	int *asked = shared(sizeof *asked);
	pid_t child = born();
	if (!child) {
		int answer = ptrace(PTRACE_TRACEME, 0, 0, 0) == -1 && errno == EPERM ? 1 : 2;
		mark();
		// The child may be killed from here on.
		*asked = answer;
		pause();
	}
	while (!*asked) nap(1);
	refused += *asked == 1;
	int status;
	if (*asked == 2) ptrace(PTRACE_DETACH, child, 0, 0);
	refused += ptrace(PTRACE_ATTACH, child, 0, 0) == -1 && errno == EPERM;
	kill(child, SIGKILL);
	waitpid(child, &status, __WALL);
	return *asked == 2 ? 0 : refused;
}
