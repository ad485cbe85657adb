// A program that may be executed and not read opens and reads a device: its process is not dumpable
// from its first call on. Mode A does the same with a file. What cannot be answered is named in both.
//
// held: blind_spots::unanswerable
// user: ordinary
// mode: 0111
#include "../attack.h"

static void attack(const char *variant) {
	(void)variant;
	int odd = device(), plain = file();
	for (int times = 0; times < 3; times++) reads(fresh ? odd : plain);
}
