// An fd arrives in a message that does not report it: the header of the control data cannot be
// written, so its length stays 0; or the message's own header cannot, so the call fails with
// EFAULT. The fd is installed in any case, and is read by its number.
//
// new: device::read::object=char:zero
// variants: no_length, fault, several, several_fault, truncated, peeked, by_thread
// happens: by chance
// times: 2
#include "../attack.h"

static int ends[2];
static struct msghdr *racing;
static volatile int over;

// Maps two pages and makes the first one read-only.
static char *pages(void) {
	char *memory = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(memory != MAP_FAILED);
	return memory;
}

static void *lies(void *nothing) {
	while (!over) {
		__atomic_store_n(&racing->msg_controllen, 0, __ATOMIC_RELEASE);
		for (volatile int wait = 0; wait < 50; wait++) { }
		if (!over) __atomic_store_n(&racing->msg_controllen, CMSG_SPACE(sizeof(int)), __ATOMIC_RELEASE);
	}
	return nothing;
}

static void takes(const char *way) {
	static char byte, control[64];
	char *memory = pages();
	static struct iovec data = { &byte, 1 };
	struct mmsghdr *message = (void *)memory;
	*message = (struct mmsghdr) { .msg_hdr = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int)) } };
	int several = !strncmp(way, "several", 7), faults = strstr(way, "fault") != 0;
	if (!strcmp(way, "no_length") || !strcmp(way, "several")) {
		// The header of the control data ends the first page, the fd begins the second one.
		struct mmsghdr *elsewhere = (void *)(memory + 6000);
		*elsewhere = *message;
		elsewhere->msg_hdr.msg_control = memory + 4096 - CMSG_LEN(0);
		message = elsewhere;
	}
	if (!strcmp(way, "truncated")) message->msg_hdr.msg_controllen = CMSG_LEN(sizeof(int));
	if (!strcmp(way, "by_thread")) racing = &message->msg_hdr;
	if (strcmp(way, "truncated") && strcmp(way, "peeked") && strcmp(way, "by_thread")) must(!mprotect(memory, 4096, PROT_READ));
	pthread_t liar = 0;
	if (racing) liar = thread(lies, 0);
	ssize_t got = several ? recvmmsg(ends[1], message, 1, 0, 0) : recvmsg(ends[1], &message->msg_hdr, !strcmp(way, "peeked") ? MSG_PEEK : 0);
	must(faults ? got < 0 && errno == EFAULT : got == 1);
	over = 1;
	if (racing) joined(liar);
}

static void attack(const char *variant) {
	int plain = file(), odd = fresh ? opened("/dev/zero", O_RDONLY) : file();
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	sends(ends[0], odd);
	must(!close(odd));
	int number = next_fd();
	takes(variant);
	if (fcntl(number, F_GETFD) < 0) {
		// If a thread changed the length in time, nothing arrived.
		must(!strcmp(variant, "by_thread"));
		_exit(fresh ? NO_RACE : 0);
	}
	for (int times = 0; times < 3; times++) reads(fresh ? number : plain);
}
