// Calls of many kinds between two marks, each from a line of its own. Then prints their results.
#include "call.h"
#include <sys/socket.h>

static char buffer[16] = "0123456789abcde";

static void files(void) {
	int file = CALL(openat, AT_FDCWD, "file", O_RDWR | O_CREAT, 0600, 0);
	CALL(write, file, buffer, 10, 0, 0);
	CALL(lseek, file, 0, SEEK_SET, 0, 0);
	CALL(read, file, buffer, 8, 0, 0);
	CALL(close, file, 0, 0, 0, 0);
	// Released also by a close that fails.
	CALL(fcntl, file, F_GETFD, 0, 0, 0);
	CALL(unlinkat, AT_FDCWD, "file", 0, 0, 0);
	int pair[2] = { -1, -1 };
	// A read after a write that fails must not wait.
	CALL(pipe2, pair, O_NONBLOCK, 0, 0, 0);
	CALL(write, pair[1], buffer, 3, 0, 0);
	CALL(read, pair[0], buffer, 3, 0, 0);
}

static void others(void) {
	CALL(socket, AF_UNIX, SOCK_STREAM, 0, 0, 0);
	CALL(ioctl, 0, 0x5401, buffer, 0, 0);
	CALL(getrandom, buffer, 8, 0, 0, 0);
	CALL(munmap, 0x1000, 4096, 0, 0, 0);
	CALL(kill, getpid(), 0, 0, 0, 0);
	struct timespec moment = { 0, 1000 };
	CALL(nanosleep, &moment, 0, 0, 0, 0);
	CALL(execve, "/nowhere", 0, 0, 0, 0);
	CALL(sched_yield, 0, 0, 0, 0, 0);
}

// Calls that the tracer changes.
static void changed(void) {
	CALL(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	CALL(prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
	CALL(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (!CALL(clone, SIGCHLD | CLONE_UNTRACED, 0, 0, 0, 0)) _exit(0);
	int status;
	CALL(wait4, -1, &status, 0, 0, 0);
}

int main(void) {
	mark();
	files();
	others();
	changed();
	mark();
	// Numbers of processes differ from run to run.
	for (int i = 0; i < made; i++)
		if (strstr("clone wait4", results[i].name) && results[i].result > 0) results[i].result = 1;
	print();
}
