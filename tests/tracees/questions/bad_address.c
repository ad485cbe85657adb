// Addresses, messages and paths lie at bad addresses: such calls fail without a blind spot.
//
// calls: connect 1 errors 1, sendto 1 errors 1, sendmsg 1 errors 1, sendmmsg 1 errors 1
// calls: execveat 1 errors 1, getppid 1
#include "../tracee.h"
#include <sys/socket.h>

int main(void) {
	void *bad = (void *) 8;
	int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
	must(datagrams >= 0);
	must(connect(datagrams, bad, 16) == -1 && errno == EFAULT);
	must(sendto(datagrams, "", 1, 0, bad, 16) == -1 && errno == EFAULT);
	must(sendmsg(datagrams, bad, 0) == -1 && errno == EFAULT);
	must(sendmmsg(datagrams, bad, 1, 0) == -1 && errno == EFAULT);
	must(syscall(SYS_execveat, AT_FDCWD, bad, 0, 0, 0) == -1 && errno == EFAULT);
	mark();
}
