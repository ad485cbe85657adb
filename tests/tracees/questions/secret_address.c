// The address of a connection lies in memory that only its own process can read: its class is
// unknown.
//
// blind: unanswerable
// calls: connect 1, getppid 1
// needs: secret memory
#include "../tracee.h"
#include "secret.h"
#include <arpa/inet.h>
#include <sys/socket.h>

int main(void) {
	struct sockaddr_in *address = secret();
	*address = (struct sockaddr_in) { AF_INET, htons(9), { htonl(INADDR_LOOPBACK) }, { 0 } };
	int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
	must(datagrams >= 0 && !connect(datagrams, (void *) address, sizeof *address));
	mark();
}
