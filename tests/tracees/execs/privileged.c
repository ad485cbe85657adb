// An unprivileged user executes a set-user-ID program of root. When traced, it runs without its
// privileges, and the run reports a blind spot.
//
// calls: execve 2
// blind: setuid_exec
// needs: ordinary user
// strace: drops the privileges, too, but does not report it
#include "../tracee.h"

int main(void)
{
	close(1);
	must(open("/dev/null", O_WRONLY) == 1);
	execl("/bin/su", "su", "--version", (char *)0);
}
