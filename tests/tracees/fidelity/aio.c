// io_submit writes to a file without a write syscall.
//
// blind: aio
// calls: io_setup 1, io_submit 1, io_getevents 1, pwrite64 0, write 0
#include "../tracee.h"
#include <linux/aio_abi.h>

int main(void) {
	aio_context_t context = 0;
	struct io_event event;
	char byte = 1;
	int file = memfd_create("x", 0);
	must(syscall(SYS_io_setup, 1, &context) == 0);
	struct iocb write = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = file, .aio_buf = (unsigned long)&byte, .aio_nbytes = 1 };
	struct iocb *writes[] = { &write };
	must(syscall(SYS_io_submit, context, 1, writes) == 1);
	must(syscall(SYS_io_getevents, context, 1, 1, &event, 0) == 1 && event.res == 1);
}
