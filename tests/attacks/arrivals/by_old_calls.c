// 64-bit code duplicates or receives an fd by a call of i386; i386 numbers have other meanings.
//
// new: device::read::object=char:zero
// variants: fcntl, fcntl64, dup, dup2, dup3, recvmsg, recvmmsg, recvmmsg_time64, socketcall
// needs: x86_64, 32-bit calls
// times: 2
#include "../attack.h"

static long old(long number, long a, long b, long c, long d, long e) {
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory", "r8", "r9", "r10", "r11");
	return result;
}

// The layouts that 32-bit code uses for these.
struct old_data { uint32_t base, length; };
struct old_message { uint32_t name, name_length, data, data_count, control, control_length, flags, received; };
struct space {
	char byte, control[32];
	struct old_data data;
	struct old_message message;
	uint32_t words[4];
};

// Must lie below 4 GiB.
static struct space *space(void) {
	struct space *space = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	must(space != MAP_FAILED);
	space->data = (struct old_data) { (uintptr_t)&space->byte, 1 };
	space->message = (struct old_message) { .data = (uintptr_t)&space->data, .data_count = 1, .control = (uintptr_t)space->control, .control_length = sizeof space->control };
	return space;
}

static long arrives(const char *way, int source, int socket, int free) {
	struct space *there = space();
	long message = (uintptr_t)&there->message;
	if (!strcmp(way, "fcntl")) return old(55, source, F_DUPFD, 0, 0, 0);
	if (!strcmp(way, "fcntl64")) return old(221, source, F_DUPFD, 0, 0, 0);
	if (!strcmp(way, "dup")) return old(41, source, 0, 0, 0, 0);
	if (!strcmp(way, "dup2")) return old(63, source, free, 0, 0, 0);
	if (!strcmp(way, "dup3")) return old(330, source, free, 0, 0, 0);
	if (!strcmp(way, "recvmsg")) return old(372, socket, message, 0, 0, 0);
	if (!strcmp(way, "recvmmsg")) return old(337, socket, message, 1, 0, 0);
	if (!strcmp(way, "recvmmsg_time64")) return old(417, socket, message, 1, 0, 0);
	must(!strcmp(way, "socketcall"));
	memcpy(there->words, (uint32_t[]) { socket, message, 0, 0 }, sizeof there->words);
	return old(102, 17, (uintptr_t)there->words, 0, 0, 0);
}

static void attack(const char *variant) {
	int plain = file(), ends[2], odd = fresh ? opened("/dev/zero", O_RDONLY) : file();
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	int receives = strstr(variant, "recv") || !strcmp(variant, "socketcall");
	if (receives) sends(ends[0], odd);
	int number = next_fd();
	must(arrives(variant, odd, ends[1], number) >= 0);
	// From here on only the new fd is left.
	must(!close(odd) && fcntl(number, F_GETFD) >= 0);
	for (int times = 0; times < 3; times++) reads(fresh ? number : plain);
}
