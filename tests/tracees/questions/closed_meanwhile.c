// A thread closes fds between a call and the query about its fd: the fd has no object any more, and
// no query was refused.
//
// threads: 3
// calls: getppid 1
// varies: all
#include "../tracee.h"

static void *opens_and_closes(void *unused) {
	for (int i = 0; i < 2000; i++) {
		int file = open("/dev/null", O_RDONLY);
		if (file >= 0)
			close(file);
	}
	return unused;
}

static void *reads_and_closes(void *unused) {
	char byte;
	for (int i = 0; i < 2000; i++) {
		pread(3, &byte, 1, 0);
		close(3);
	}
	return unused;
}

int main(void) {
	pthread_t one = thread(opens_and_closes, 0), other = thread(reads_and_closes, 0);
	must(!pthread_join(one, 0) && !pthread_join(other, 0));
	mark();
}
