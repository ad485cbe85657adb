// An ioctl opens the other end of a pseudo-terminal; only mode B reads it.
//
// new: device::read::object=char:pts
// variants: peer, peer_of_thread
#include "../attack.h"
#include <sys/ioctl.h>
#include <termios.h>

static int master;
static volatile int made = -1;

static void *opens(void *nothing) {
	made = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK);
	must(made >= 0);
	return nothing;
}

static void attack(const char *variant) {
	int plain = file();
	char byte;
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0) impossible("a pseudo-terminal");
	must(!unlockpt(master));
	if (strcmp(variant, "peer")) joined(thread(opens, 0));
	else opens(0);
	must(read(fresh ? made : plain, &byte, 1) == 1 || errno == EAGAIN);
}
