// A set-user-ID program of root's, executed by somebody else: traced, it runs without its privileges, and that is said.
//
// calls: execve 2
// blind: setuid_exec
// needs: ordinary user
// strace: an unprivileged strace takes them too, but its count says nothing of it
#include "../tracee.h"

int main(void) { execl("/bin/su", "su", "--version", (char *)0); }
