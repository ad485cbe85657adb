// A call that fails has no object, whatever memory its path lies in.
//
// calls: getppid 1
// needs: secret memory
#include "../tracee.h"
#include "secret.h"
#include <sys/stat.h>

int main(void) {
	char *path = secret();
	strcpy(path, "/no/such/file");
	struct stat found;
	must(stat(path, &found) == -1 && errno == ENOENT);
	mark();
}
