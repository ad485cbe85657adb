// A thread changes the address of a bind all the time. The tracer reads the address at the entry
// of the call, the kernel later, so a single call may show the old value. The program checks the
// address that it got, and repeats the call until it gets the new one.
//
// new: network::bind::unspecified,socket:AF_INET:SOCK_DGRAM
// happens: by chance
// times: 4
#include "../attack.h"
#include <arpa/inet.h>

enum { TRIES = 400 };
static struct sockaddr_in address = { .sin_family = AF_INET };
static volatile int over;

static void *flips(void *nothing) {
	on_cpu(1);
	uint32_t odd = htonl(fresh ? INADDR_ANY : INADDR_LOOPBACK), plain = htonl(INADDR_LOOPBACK);
	for (unsigned round = 0; !over; round++) __atomic_store_n(&address.sin_addr.s_addr, round % 2 ? odd : plain, __ATOMIC_RELEASE);
	return nothing;
}

static void attack(const char *variant) {
	(void)variant;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pthread_t flipping = thread(flips, 0);
	on_cpu(0);
	int found = 0;
	for (int attempt = 0; attempt < TRIES; attempt++) {
		struct sockaddr_in got;
		socklen_t size = sizeof got;
		int socket_ = socket(AF_INET, SOCK_DGRAM, 0);
		must(socket_ >= 0 && !bind(socket_, (void *)&address, sizeof address));
		must(!getsockname(socket_, (void *)&got, &size) && !close(socket_));
		found += got.sin_addr.s_addr == htonl(INADDR_ANY);
	}
	over = 1;
	joined(flipping);
	if (fresh && !found) _exit(NO_RACE);
}
