// Fifty children that are never waited for.
//
// processes: 51
// calls: getppid 50, wait4 0
// varies: clone
#include "../tracee.h"

int main(void) {
	for (int i = 0; i < 50; i++) {
		if (!born()) {
			mark();
			_exit(i);
		}
	}
}
