// Objects that were queried while the process was dumpable stay known, and so do objects that the
// call itself names.
//
// calls: getppid 1
// needs: ordinary user
#include "../tracee.h"
#include <sys/eventfd.h>
#include <sys/socket.h>

int main(void) {
	char byte;
	uint64_t number = 1;
	int file = open("/dev/null", O_RDONLY);
	must(file >= 0 && read(file, &byte, 1) == 0);
	must(!prctl(PR_SET_DUMPABLE, 0));
	must(read(file, &byte, 1) == 0);
	int event = eventfd(0, 0), made = socket(AF_UNIX, SOCK_DGRAM, 0);
	must(write(event, &number, sizeof number) == 8 && read(event, &number, sizeof number) == 8);
	must(made >= 0 && !close(made));
	mark();
}
