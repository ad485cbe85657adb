// A program with execute but without read permission opens and reads a device: its process is not
// dumpable from its first call on.
//
// new: device::read
// user: ordinary
// mode: 0111
#include "../attack.h"

static void attack(const char *variant) {
	(void)variant;
	int odd = device(), plain = file();
	for (int times = 0; times < 3; times++) reads(fresh ? odd : plain);
}
