// The program that the differential fuzzer runs: it carries out a list of operations on fds in
// several tasks. The list is the first argument: `o` (each operation waits for its turn) or `f`
// (each task runs freely), the usual kinds (`:K` each), then TASK.HOW.CODE.A.B for each operation.
// The names are in `fuzz/list.rs`, in the same order.
//
// No operation may change anything outside the current folder, whatever its fd is by then: no mode,
// no owner, no attribute, and no file of others is opened for writing, except devices that drop or
// refuse the data.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 12, TASKS = 6, MOST = 64, BOX = 100, STACK = 1 << 16 };
enum { DIRECT, HANDLER, FORK, SPAWN, THREAD, SHARER, MEMORY_SHARER, SPAWN_UNREADABLE };
// The operations from this number on make a task, or execute a program.
enum { MAKES = 62 };

struct operation { int task, how, code, a, b; };
// State shared by all tasks, also after an exec: the file `state`. For each operation it holds its
// fds and how it ended, for the fuzzer to compare runs.
struct state { volatile int turn, slots[SLOTS + 1]; volatile char path[32]; volatile struct { short fd, other, after, error; } ends[MOST]; };

static struct operation list[MOST];
static int count, is_ordered, usual[MOST], usuals;
static struct state *state;
static char *own_list, *own_path;
static __thread struct operation *current;

static void fails(const char *what) {
	dprintf(1, "%s: %s\n", what, strerror(errno));
	_exit(9);
}

static int slot(int number) { return state->slots[number % SLOTS]; }

static void put(int number, int fd) { if (fd >= 0) state->slots[number % SLOTS] = fd; }

static int address(struct sockaddr_in *loopback, int port) {
	*loopback = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	return sizeof *loopback;
}

static const char *const PATHS[] = {
	"/etc/passwd", "text", ".", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/full", "/proc/self/status", "/proc/self/maps", "/proc/meminfo",
	"/sys/devices/system/cpu/online", "/proc/sys/kernel/ostype", "/proc/self/fd", "/proc/self/ns/uts", "/dev/ptmx", "/proc//self/limits",
	"/proc/thread-self/comm", "/dev/random", "/sys/kernel/mm", "/nowhere",
};
enum { NAMED = sizeof PATHS / sizeof *PATHS };

static void opens(int kind, int to) {
	int pair[2] = { -1, -1 };
	sigset_t none;
	if (kind < NAMED) {
		int can_write = kind == 1 || kind == 3 || kind == 6 || kind == 14;
		put(to, open(PATHS[kind], (can_write ? O_RDWR : O_RDONLY) | (kind == 1 ? O_CREAT : 0) | O_NONBLOCK | O_NOCTTY, 0600));
		return;
	}
	switch (kind - NAMED) {
	case 0: if (!pipe2(pair, O_NONBLOCK)) { } break;
	case 1: mkfifo("fifo", 0600); put(to, open("fifo", O_RDWR | O_NONBLOCK)); return;
	case 2: if (!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair)) { } break;
	case 3: if (!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair)) { } break;
	case 4: put(to, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)); return;
	case 5: put(to, socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)); return;
	case 6: put(to, socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0)); return;
	case 7: put(to, socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE)); return;
	case 8: put(to, eventfd(1, EFD_NONBLOCK)); return;
	case 9: put(to, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)); return;
	case 10: put(to, epoll_create1(0)); return;
	case 11: put(to, inotify_init1(IN_NONBLOCK)); return;
	case 12: put(to, memfd_create("fuzz", 0)); return;
	case 13: put(to, syscall(SYS_pidfd_open, getpid(), 0)); return;
	case 14: sigemptyset(&none); put(to, signalfd(-1, &none, SFD_NONBLOCK)); return;
	case 15: put(to, open("text", O_PATH)); return;
	case 16: put(to, open(".", O_TMPFILE | O_RDWR, 0600)); return;
	case 17: put(to, socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0)); return;
	default: put(to, syscall(SYS_userfaultfd, O_NONBLOCK | 1)); return;
	}
	put(to, pair[0]);
	put(to + 1, pair[1]);
}

static void sends(int fd) {
	char byte = 0, control[CMSG_SPACE(sizeof fd)] = "";
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	*head = (struct cmsghdr) { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd) };
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	sendmsg(BOX, &message, MSG_DONTWAIT);
}

static int receives(int flags) {
	int fd = -1;
	char byte, control[CMSG_SPACE(sizeof fd)];
	struct iovec data = { &byte, 1 };
	struct mmsghdr message = { .msg_hdr = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control } };
	int got = flags ? recvmmsg(BOX + 1, &message, 1, MSG_DONTWAIT, 0) : recvmsg(BOX + 1, &message.msg_hdr, MSG_DONTWAIT);
	struct cmsghdr *head = got > 0 ? CMSG_FIRSTHDR(&message.msg_hdr) : 0;
	if (head && head->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(head), sizeof fd);
	return fd;
}

static int reopened(const char *pattern, int fd, int flags) {
	char path[64];
	snprintf(path, sizeof path, pattern, fd);
	return open(path, flags | O_NONBLOCK | O_NOCTTY);
}

static void relinks(const char *to) {
	char name[32];
	snprintf(name, sizeof name, "link.%ld", syscall(SYS_gettid));
	if (!symlink(to, name)) rename(name, "link");
}

static void maps(int fd, int protection) {
	void *memory = mmap(0, 4096, protection, MAP_PRIVATE, fd, 0);
	if (memory != MAP_FAILED) munmap(memory, 4096);
}

static void asks(int which) {
	struct utsname name;
	struct rusage usage;
	struct stat status;
	struct statfs system;
	char text[64];
	switch (which % 14) {
	case 0: uname(&name); return;
	case 1: syscall(SYS_getrandom, text, 8, 0); return;
	case 2: getpriority(PRIO_PROCESS, 0); return;
	case 3: umask(022); return;
	case 4: getrusage(RUSAGE_SELF, &usage); return;
	case 5: stat("/dev/zero", &status); return;
	case 6: access("/proc/self/status", R_OK); return;
	case 7: statfs("/proc", &system); return;
	case 8: if (readlink("/proc/self/exe", text, sizeof text)) { } return;
	case 9: syscall(SYS_getcpu, 0, 0, 0); return;
	case 10: kill(getpid(), 0); return;
	case 11: getsid(0); return;
	case 12: if (truncate("text", 3)) { } return;
	default: sched_getscheduler(0); return;
	}
}

static void does(const struct operation *operation) {
	int a = operation->a, b = operation->b, fd = slot(a), other = slot(b), number = 0, flag = 1;
	char bytes[256] = "x";
	struct iovec data = { bytes, 2 };
	struct sockaddr_in loopback;
	socklen_t length = address(&loopback, 0);
	struct pollfd polled = { fd, POLLIN, 0 };
	struct epoll_event event = { .events = EPOLLIN };
	struct itimerspec timer = { .it_value = { .tv_nsec = 1000 } };
	struct stat status;
	struct statfs system;
	struct termios terminal;
	ssize_t got = 0;
	switch (operation->code) {
	case 0: opens(a, b); break;
	case 1: close(fd); break;
	case 2: put(b, dup(fd)); break;
	case 3: dup2(fd, other); break;
	case 4: dup3(fd, other, O_CLOEXEC); break;
	case 5: put(b, fcntl(fd, F_DUPFD, 20)); break;
	case 6: got = read(fd, bytes, 8); break;
	case 7: got = write(fd, bytes, 8); break;
	case 8: got = pread(fd, bytes, 2, 0); break;
	case 9: got = pwrite(fd, bytes, 2, 0); break;
	case 10: got = readv(fd, &data, 1); break;
	case 11: got = writev(fd, &data, 1); break;
	case 12: lseek(fd, 0, SEEK_SET); break;
	case 13: fstat(fd, &status); break;
	case 14: ioctl(fd, FIONREAD, &number); break;
	case 15: tcgetattr(fd, &terminal); break;
	case 16: length = sizeof number; getsockopt(fd, SOL_SOCKET, SO_TYPE, &number, &length); break;
	case 17: setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &flag, sizeof flag); break;
	case 18: fcntl(fd, F_GETFL); break;
	case 19: ioctl(fd, FIONBIO, &flag); break;
	case 20: sends(fd); break;
	case 21: put(b, receives(0)); break;
	case 22: put(b, receives(1)); break;
	case 23:
		number = syscall(SYS_pidfd_open, getpid(), 0);
		if (number >= 0) {
			put(b, syscall(SYS_pidfd_getfd, number, fd, 0));
			close(number);
		}
		break;
	case 24: got = splice(fd, 0, other, 0, 8, SPLICE_F_NONBLOCK); break;
	case 25: got = sendfile(other, fd, 0, 8); break;
	case 26: got = copy_file_range(fd, 0, other, 0, 8, 0); break;
	case 27: got = tee(fd, other, 8, SPLICE_F_NONBLOCK); break;
	case 28: maps(fd, PROT_READ); break;
	case 29: maps(fd, PROT_READ | PROT_EXEC); break;
	case 30: poll(&polled, 1, 0); break;
	case 31: epoll_ctl(fd, EPOLL_CTL_ADD, other, &event); break;
	case 32: epoll_wait(fd, &event, 1, 0); break;
	case 33: fsync(fd); break;
	case 34: got = ftruncate(fd, 2); break;
	case 35: posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL); break;
	case 36: flock(fd, LOCK_SH | LOCK_NB); break;
	case 37: got = syscall(SYS_getdents64, fd, bytes, sizeof bytes); break;
	case 38: put(b, reopened("/proc/self/fd/%d", fd, O_RDONLY)); break;
	case 39: put(b, reopened("/dev/fd/%d", fd, O_RDONLY)); break;
	case 40: put(b, reopened("/proc/./thread-self/fd/%d", fd, O_RDONLY)); break;
	case 41: put(b, openat(fd, "text", O_RDONLY)); break;
	case 42: if (!bind(fd, (void *)&loopback, length)) listen(fd, 1); break;
	case 43: address(&loopback, 1); connect(fd, (void *)&loopback, length); break;
	case 44: put(b, accept4(fd, 0, 0, SOCK_NONBLOCK)); break;
	case 45: got = recvfrom(fd, bytes, 8, MSG_DONTWAIT, 0, 0); break;
	case 46: address(&loopback, 9); got = sendto(fd, bytes, 8, MSG_DONTWAIT | MSG_NOSIGNAL, (void *)&loopback, length); break;
	case 47: got = send(fd, bytes, 8, MSG_DONTWAIT | MSG_NOSIGNAL); break;
	case 48: timerfd_settime(fd, 0, &timer, 0); break;
	case 49: syscall(SYS_close_range, fd, fd, 0); break;
	case 50: unshare(CLONE_FILES); break;
	case 51: asks(a); break;
	case 52: inotify_add_watch(fd, ".", IN_CREATE); break;
	case 53: fstatfs(fd, &system); break;
	case 54: shutdown(fd, SHUT_WR); break;
	case 55: fcntl(fd, F_SETFD, FD_CLOEXEC); break;
	case 56: relinks(PATHS[a % NAMED]); break;
	case 57: put(b, open("link", O_RDONLY | O_NONBLOCK | O_NOCTTY)); break;
	case 58: strcpy((char *)state->path, PATHS[a % NAMED]); break;
	case 59: put(b, open((char *)state->path, O_RDONLY | O_NONBLOCK | O_NOCTTY)); break;
	case 60: prctl(PR_SET_DUMPABLE, a, 0, 0, 0); break;
	// The fuzzer compares what it returns as an error number.
	case 61: errno = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); break;
	default: fails("an unknown operation");
	}
	(void)got;
}

static void acts(const struct operation *operation) {
	int a = slot(operation->a), b = slot(operation->b);
	errno = 0;
	does(operation);
	int error = errno, at = operation - list;
	state->ends[at].fd = a;
	state->ends[at].other = b;
	state->ends[at].after = slot(operation->b);
	state->ends[at].error = error + 1;
}

// Makes calls on a kind for the baseline, so that a guard lets such calls pass.
static void is_usual(int kind) {
	static const int CODES[] = { 6, 7, 10, 13, 14, 18, 30, 12 };
	int plain_slots[2] = { state->slots[0], state->slots[1] };
	opens(kind, 0);
	for (size_t code = 0; code < sizeof CODES / sizeof *CODES; code++) does(&(struct operation) { .code = CODES[code] });
	for (int at = 0; at < 2; at++) if (state->slots[at] != plain_slots[at]) close(slot(at));
	memcpy((void *)state->slots, plain_slots, sizeof plain_slots);
}

static void handles(int signal) {
	(void)signal;
	if (current) acts(current);
}

static void *acts_in_thread(void *operation) {
	acts(operation);
	return 0;
}

static int acts_on_a_stack(void *operation) {
	acts(operation);
	syscall(SYS_exit, 0);
	return 0;
}

static void reaps(pid_t child) { if (child > 0) waitpid(child, 0, __WALL); }

// Executes this program again, or its copy beside it that may not be read.
static void executes(int from, int only, int is_unreadable) {
	char first[12], last[12], copy[4096];
	snprintf(first, sizeof first, "%d", from);
	snprintf(last, sizeof last, "%d", only);
	snprintf(copy, sizeof copy, "%.*s/unreadable", (int)(strrchr(own_path, '/') - own_path), own_path);
	execl(is_unreadable ? copy : "/proc/self/exe", own_path, own_list, first, last, (char *)0);
	_exit(8);
}

static void carries_out(struct operation *operation) {
	pthread_t thread;
	pid_t child;
	switch (operation->how) {
	case DIRECT: acts(operation); return;
	case HANDLER:
		current = operation;
		raise(SIGUSR1);
		current = 0;
		return;
	case FORK:
	case SHARER:
		child = syscall(SYS_clone, SIGCHLD | (operation->how == SHARER ? CLONE_FILES : 0), 0, 0, 0, 0);
		if (!child) {
			acts(operation);
			_exit(0);
		}
		reaps(child);
		return;
	case SPAWN:
	case SPAWN_UNREADABLE:
		child = vfork();
		if (!child) executes(operation - list, 1, operation->how == SPAWN_UNREADABLE);
		reaps(child);
		return;
	case THREAD:
		if (!pthread_create(&thread, 0, acts_in_thread, operation)) pthread_join(thread, 0);
		return;
	default: {
		// Never freed: each call needs its own stack.
		char *stack = malloc(STACK);
		child = clone(acts_on_a_stack, stack + (STACK & -16), CLONE_VM | CLONE_FILES | SIGCHLD, operation);
		reaps(child);
		return;
	}
	}
}

static void waits_for(int turn) {
	for (int tries = 0; state->turn < turn; tries++) {
		sched_yield();
		if (tries > 200000) fails("no turn");
	}
}

static void works(int task, int from);

struct born { int task, from; };

static void *works_in_thread(void *born) {
	works(((struct born *)born)->task, ((struct born *)born)->from);
	return 0;
}

// The codes from MAKES on make a task: a thread, a process, one with the same fds. The last two
// execute this program again, and its copy that may not be read.
static void works(int task, int from) {
	pthread_t threads[TASKS];
	pid_t children[TASKS];
	struct born born[TASKS];
	int made = 0, forked = 0;
	sched_yield();
	for (int at = from; at < count; at++) {
		struct operation *operation = list + at;
		if (operation->task != task) continue;
		if (is_ordered) waits_for(at);
		int makes = operation->code - MAKES;
		if (makes < 0) carries_out(operation);
		else if (makes == 0) {
			born[made] = (struct born) { operation->a, at + 1 };
			if (pthread_create(threads + made, 0, works_in_thread, born + made)) fails("a thread");
			made++;
		} else if (makes < 3) {
			pid_t child = syscall(SYS_clone, SIGCHLD | (makes == 2 ? CLONE_FILES : 0), 0, 0, 0, 0);
			if (child < 0) fails("a process");
			if (!child) {
				alarm(20);
				works(operation->a, at + 1);
				_exit(0);
			}
			children[forked++] = child;
		} else executes(at + 1, task << 8, makes == 4);
		if (is_ordered) state->turn = at + 1;
	}
	while (made) pthread_join(threads[--made], 0);
	while (forked) reaps(children[--forked]);
}

static void reads_list(char *text) {
	is_ordered = *text++ == 'o';
	for (; *text == ':'; usual[usuals++ % MOST] = strtol(text + 1, &text, 10)) { }
	for (int used; count < MOST; text += used) {
		struct operation *o = list + count;
		if (sscanf(text, " %d.%d.%d.%d.%d%n", &o->task, &o->how, &o->code, &o->a, &o->b, &used) < 5) return;
		count++;
	}
}

int main(int words, char **word) {
	if (words < 2 || !strchr(word[0], '/')) return 2;
	own_path = word[0];
	own_list = strdup(word[1]);
	reads_list(word[1]);
	alarm(20);
	signal(SIGUSR1, handles);
	signal(SIGPIPE, SIG_IGN);
	int file = open("state", O_RDWR | O_CREAT, 0600), is_first = words < 4;
	if (file < 0 || ftruncate(file, sizeof *state)) fails("the state");
	state = mmap(0, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (state == MAP_FAILED) fails("the state");
	close(file);
	if (!is_first) {
		int from = atoi(word[2]), what = atoi(word[3]);
		// The turn ends when the new program has its own fds.
		if (what != 1 && is_ordered) state->turn = from;
		if (what == 1) acts(list + from);
		else works(what >> 8, from);
		// Waits for the children made before the exec.
		while (what != 1 && wait(0) > 0) { }
		return 0;
	}
	int box[2], text = open("text", O_RDWR | O_CREAT, 0600);
	if (text < 0 || write(text, "some text", 9) != 9 || close(text)) fails("a file");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, box) || dup2(box[0], BOX) < 0 || dup2(box[1], BOX + 1) < 0) fails("a box");
	close(box[0]);
	close(box[1]);
	for (int number = 0; number < SLOTS; number++) state->slots[number] = 40 + number;
	// In both directions of the socket pair.
	char byte = 'x';
	if (write(BOX, &byte, 1) != 1 || read(BOX + 1, &byte, 1) != 1) fails("the box");
	for (int at = 0; at < usuals; at++) is_usual(usual[at]);
	works(0, 0);
	return 0;
}
