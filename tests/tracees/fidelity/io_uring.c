// An io_uring request writes to a file without a write syscall.
//
// blind: io_uring
// calls: io_uring_setup 1, io_uring_enter 1, write 0, pwrite64 0
#include "../tracee.h"
#include <linux/io_uring.h>

static volatile unsigned *at(void *ring, unsigned offset) { return (unsigned *)((char *)ring + offset); }

int main(void) {
	struct io_uring_params params = { 0 };
	char byte = 7, read_back = 0;
	int file = memfd_create("x", 0), ring = syscall(SYS_io_uring_setup, 1, &params);
	must(ring >= 0);
	size_t size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
	void *queue = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	struct io_uring_sqe *entry = mmap(0, sizeof *entry, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	must(queue != MAP_FAILED && entry != MAP_FAILED);
	*entry = (struct io_uring_sqe){ .opcode = IORING_OP_WRITE, .fd = file, .addr = (unsigned long)&byte, .len = 1 };
	*at(queue, params.sq_off.array) = 0;
	*at(queue, params.sq_off.tail) = 1;
	must(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, 0, 0) == 1);
	must(pread(file, &read_back, 1, 0) == 1 && read_back == 7);
}
