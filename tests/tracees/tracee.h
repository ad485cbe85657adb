// What every tracee may use: a call to count tasks by, and checks that name their line.
#ifndef TRACEE_H
#define TRACEE_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The call by which a trial counts the tasks that were seen.
static inline void mark(void) { syscall(SYS_getppid); }

static inline void marks(int count) { while (count--) mark(); }

#define must(condition) do { if (!(condition)) broken(__FILE__, __LINE__, #condition); } while (0)

static inline void broken(const char *file, int line, const char *condition) {
	dprintf(1, "%s:%d: not %s (errno %d)\n", file, line, condition, errno);
	_exit(99);
}

// Forks, whatever the C library and the architecture call that.
static inline pid_t born(void) {
	pid_t child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	must(child >= 0);
	return child;
}

static inline int reap(pid_t child) {
	int status;
	must(waitpid(child, &status, __WALL) == child);
	return status;
}

static inline void leaves(pid_t child, int code) {
	int status = reap(child);
	must(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

static inline void dies(pid_t child, int signal) {
	int status = reap(child);
	must(WIFSIGNALED(status) && WTERMSIG(status) == signal);
}

static inline void nap(long milliseconds) {
	struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
	while (nanosleep(&time, &time)) { }
}

// Waits until a task waits in the kernel, however busy the machine is.
static inline void until_asleep(pid_t task) {
	char path[32], line[256] = "", *name_end;
	snprintf(path, sizeof path, "/proc/%d/stat", task);
	do {
		nap(1);
		int file = open(path, O_RDONLY);
		must(file >= 0 && read(file, line, sizeof line - 1) > 0 && !close(file));
		name_end = strrchr(line, ')');
	} while (!name_end || name_end[2] != 'S');
}

static inline pthread_t thread(void *(*body)(void *), void *argument) {
	pthread_t made;
	must(!pthread_create(&made, 0, body, argument));
	return made;
}

// Memory that processes share.
static inline void *shared(size_t size) {
	void *memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(memory != MAP_FAILED);
	return memory;
}
#endif
