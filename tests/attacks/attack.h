// What every attack may use: modes, checks that name their line, and ways to wait that both modes
// use.
#ifndef ATTACK_H
#define ATTACK_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

// Exit statuses besides 0: the race did not happen, this machine cannot run it.
enum { NO_RACE = 3, IMPOSSIBLE = 77 };

// True in mode B.
static int fresh;
// True if mode A opens a device, too, without reading it: the variant's name begins with `known`.
static int known;

#define must(condition) do { if (!(condition)) broken(__FILE__, __LINE__, #condition); } while (0)

static inline void broken(const char *file, int line, const char *condition) {
	dprintf(1, "%s:%d: not %s (errno %d)\n", file, line, condition, errno);
	_exit(99);
}

static inline void impossible(const char *what) {
	dprintf(1, "%s: %s", what, strerror(errno));
	_exit(IMPOSSIBLE);
}

// Ends a child when its parent dies.
static inline void mortal(void) {
	must(!prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
	alarm(30);
}

static void attack(const char *variant);

// Makes what every baseline holds: reads of pipes, sockets and files.
static inline void usual(void) {
	int ends[2], plain = open("/etc/passwd", O_RDONLY);
	char byte = 'x';
	must(plain >= 0 && read(plain, &byte, 1) == 1 && !close(plain));
	for (int sockets = 0; sockets < 2; sockets++) {
		must(sockets ? !socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : !pipe(ends));
		must(write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1 && !close(ends[0]) && !close(ends[1]));
	}
}

// Racing tasks need a CPU each, if there are two. The guard may put them on one.
static inline void on_cpu(int number) {
	cpu_set_t all, one;
	must(!sched_getaffinity(0, sizeof all, &all));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all) || number--) continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		must(!sched_setaffinity(0, sizeof one, &one));
		return;
	}
}

int main(int count, char **words) {
	must(count >= 2);
	fresh = words[1][0] == 'B';
	alarm(30);
	const char *variant = count > 2 ? words[2] : "";
	known = !strncmp(variant, "known_", 6);
	usual();
	attack(variant + (known ? 6 : 0));
	return 0;
}

static inline int opened(const char *path, int flags) {
	int fd = open(path, flags);
	must(fd >= 0);
	return fd;
}

static inline int file(void) { return opened("/etc/passwd", O_RDONLY); }

// Returns a device that only mode B reads. Mode A opens it if its kind is known, else a file.
static inline int device(void) { return known || fresh ? opened("/dev/zero", O_RDONLY) : file(); }

static inline void reads(int fd) {
	char byte;
	must(read(fd, &byte, 1) == 1);
}

// Waits by a call that both modes make.
static inline void until(volatile int *what, int value) {
	do sched_yield(); while (__atomic_load_n(what, __ATOMIC_ACQUIRE) != value);
}

static inline void now(volatile int *what, int value) { __atomic_store_n(what, value, __ATOMIC_RELEASE); }

static inline pthread_t thread(void *(*body)(void *), void *argument) {
	pthread_t made;
	must(!pthread_create(&made, 0, body, argument));
	return made;
}

static inline void joined(pthread_t thread) { must(!pthread_join(thread, 0)); }

// Memory that processes share.
static inline void *shared(size_t size) {
	void *memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(memory != MAP_FAILED);
	return memory;
}

// Makes a process by the raw call; with CLONE_FILES it shares fds, but no memory.
static inline pid_t born(unsigned long flags) {
	pid_t child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	must(child >= 0);
	if (!child) mortal();
	return child;
}

static inline void leaves(pid_t child) {
	int status;
	must(waitpid(child, &status, __WALL) == child);
	must(WIFEXITED(status));
	if (WEXITSTATUS(status)) _exit(WEXITSTATUS(status));
}

static inline void sends(int socket, int fd) {
	char byte = 0, control[CMSG_SPACE(sizeof fd)] = "";
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	must(sendmsg(socket, &message, 0) == 1);
}

static inline int receives(int socket) {
	int fd;
	char byte, control[CMSG_SPACE(sizeof fd)];
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	must(recvmsg(socket, &message, 0) == 1 && CMSG_FIRSTHDR(&message));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

// Returns the lowest free number, which the next call that makes an fd returns.
static inline int next_fd(void) {
	int fd = dup(0);
	must(fd >= 0 && !close(fd));
	return fd;
}
#endif
