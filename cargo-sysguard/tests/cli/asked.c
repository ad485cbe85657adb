// asked KIND: a program for tests of queries about its objects.
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

int main(int argc, char **argv) {
	char byte, plain[16], *path = plain;
	const char *kind = argc > 1 ? argv[1] : "";
	if (!strcmp(kind, "hidden") && prctl(PR_SET_DUMPABLE, 0))
		return 1;
	if (!strcmp(kind, "ids") && (seteuid(65534) || seteuid(0)))
		return 1;
	if (!strcmp(kind, "secret")) {
		int file = syscall(SYS_memfd_secret, 0);
		if (file < 0 || ftruncate(file, 4096))
			return 77;
		path = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
		if (path == MAP_FAILED)
			return 77;
	}
	strcpy(path, "/dev/null");
	struct stat found;
	if (stat(path, &found))
		return 2;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || listen(listener, 1))
		return 3;
	int file = open("/proc/self/maps", O_RDONLY);
	if (file < 0 || read(file, &byte, 1) != 1)
		return 4;
	int pipes[2];
	if (pipe(pipes) || write(pipes[1], "x", 1) != 1 || read(pipes[0], &byte, 1) != 1)
		return 5;
	int device = open("/dev/null", O_RDONLY);
	return device >= 0 && read(device, &byte, 1) == 0 ? 0 : 6;
}
