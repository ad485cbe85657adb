// A thread, a child by fork, one by vfork and one by posix_spawn. Prints the error of each.
#include "../../tracees/tracee.h"
#include <spawn.h>

extern char **environ;

static void *body(void *argument) {
	mark();
	return argument;
}

static int spawned(void) {
	char *argv[] = { "true", 0 };
	pid_t child;
	int error = posix_spawn(&child, "/bin/true", 0, 0, argv, environ);
	if (!error) leaves(child, 0);
	return error;
}

static int vforked(void) {
	pid_t child = vfork();
	if (!child) {
		execve("/bin/true", (char *[]){ "true", 0 }, environ);
		_exit(errno);
	}
	return child < 0 ? errno : WEXITSTATUS(reap(child));
}

static int forked(void) {
	pid_t child = fork();
	if (!child) {
		errno = 0;
		mark();
		_exit(errno);
	}
	return child < 0 ? errno : WEXITSTATUS(reap(child));
}

int main(void) {
	pthread_t made;
	int threaded = pthread_create(&made, 0, body, 0);
	if (!threaded) pthread_join(made, 0);
	int results[] = { threaded, forked(), vforked(), spawned() };
	dprintf(1, "thread %d\nfork %d\nvfork %d\nspawn %d\n", results[0], results[1], results[2], results[3]);
}
