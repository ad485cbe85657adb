// A 32-bit program passes a new class of address to bind or connect. Its structures have the layouts
// of i386, and its C library may use socketcall(2).
//
// new: network::bind::unspecified,socket:AF_INET:SOCK_DGRAM | network::connect::unspecified,socket:AF_INET:SOCK_DGRAM | network::socketcall::SYS_BIND/unspecified,socket:AF_INET:SOCK_DGRAM | network::socketcall::SYS_CONNECT/unspecified,socket:AF_INET:SOCK_DGRAM
// variants: bind, connect, socketcall_bind, socketcall_connect
// needs: 32-bit programs
// build: -m32
// times: 2
#include "../attack.h"
#include <arpa/inet.h>
#include <linux/net.h>

static void attack(const char *variant) {
	int socket_ = socket(AF_INET, SOCK_DGRAM, 0);
	must(socket_ >= 0);
	int connects = strstr(variant, "connect") != 0;
	// The kernel takes 0.0.0.0 for the loopback address: nothing leaves the machine.
	struct sockaddr_in address = { AF_INET, htons(connects ? 9 : 0), { htonl(fresh ? INADDR_ANY : INADDR_LOOPBACK) }, { 0 } };
	if (!strncmp(variant, "socketcall", 10)) {
		long words[3] = { socket_, (long)&address, sizeof address };
		must(!syscall(SYS_socketcall, connects ? SYS_CONNECT : SYS_BIND, words));
	} else {
		must(!(connects ? connect : bind)(socket_, (void *)&address, sizeof address));
	}
}
