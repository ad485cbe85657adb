// A path lies in memory that only its own process can read, memfd_secret(2): an opened file is
// known by its fd, a file that was only looked up is unknown.
//
// blind: unanswerable
// calls: getppid 1
// needs: secret memory
#include "../tracee.h"
#include "secret.h"
#include <sys/stat.h>

int main(void) {
	char *path = secret();
	strcpy(path, "/dev/null");
	struct stat found;
	must(!stat(path, &found) && S_ISCHR(found.st_mode));
	mark();
}
