// Syscalls that never fail with EINTR and syscalls that do when they wait, for both word sizes.
#include "../tracee.h"
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

static volatile int handled, steps;
static pid_t process;
static struct itimerval interval;

// Slows the timer down if no step was made between two signals: with a slow tracer, handlers could
// otherwise use up all time.
static void keep_going(void) {
	static int before = -1;
	if (steps == before && interval.it_interval.tv_usec < 100000) {
		interval.it_interval.tv_usec *= 2;
		interval.it_value = interval.it_interval;
		must(!setitimer(ITIMER_REAL, &interval, 0));
	}
	before = steps;
}

// A signal's siginfo names its source: the kernel's timer or a thread of this process.
static void handle(int signal, siginfo_t *info, void *unused) {
	(void)unused;
	if (signal == SIGALRM) {
		must(info->si_code == SI_KERNEL);
		keep_going();
	} else must(info->si_code == SI_TKILL && info->si_pid == process);
	handled++;
}

static void handle_with(int flags) {
	process = getpid();
	struct sigaction action = { .sa_sigaction = handle, .sa_flags = flags | SA_SIGINFO };
	must(!sigaction(SIGALRM, &action, 0) && !sigaction(SIGUSR1, &action, 0));
}

#define FOUR_TIMES for (int k = 0; k < 4; k++, steps++)

// Repeats each syscall with the same arguments from the same address.
static void never_interrupted(void) {
	int ends[2], file = memfd_create("file", 0), null = open("/dev/null", O_WRONLY);
	char bytes[4096] = { 0 }, byte;
	must(!pipe(ends) && write(ends[1], bytes, sizeof bytes) == sizeof bytes && pwrite(file, "x", 1, 0) == 1);
	for (int i = 0; i < 100; i++) {
		FOUR_TIMES must(syscall(SYS_getppid) >= 0);
		FOUR_TIMES must(pread(file, &byte, 1, 0) == 1);
		FOUR_TIMES must(lseek(file, 0, SEEK_SET) == 0);
		FOUR_TIMES must(close(900) == -1 && errno == EBADF);
		FOUR_TIMES must(fcntl(file, F_GETFD) == 0);
		FOUR_TIMES must(write(null, "x", 1) == 1);
		FOUR_TIMES must(read(ends[0], &byte, 1) == 1);
		FOUR_TIMES must(!close(dup(file)));
		FOUR_TIMES must(!munmap(mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096));
	}
	must(!close(null) && !close(file) && !close(ends[0]) && !close(ends[1]));
}

static void beside_an_interval_timer(int flags) {
	struct itimerval off = {{0, 0}, {0, 0}};
	interval = (struct itimerval) {{0, 100}, {0, 100}};
	handle_with(flags);
	must(!setitimer(ITIMER_REAL, &interval, 0));
	do never_interrupted();
	while (!handled);
	must(!setitimer(ITIMER_REAL, &off, 0));
}

static volatile int is_over;
static pid_t waiter;

// Sends the next signal after the last one was handled and the program has made a step.
static void *keep_signalling(void *unused) {
	for (int sent = handled, before = -1; !is_over;) {
		if (sent == handled && steps != before) {
			before = steps;
			sent++;
			must(!syscall(SYS_tgkill, getpid(), waiter, SIGUSR1));
		}
		sched_yield();
	}
	return unused;
}

static void beside_a_signalling_thread(int flags) {
	handle_with(flags);
	waiter = syscall(SYS_gettid);
	is_over = handled = 0;
	pthread_t sender = thread(keep_signalling, 0);
	do never_interrupted();
	while (!handled);
	is_over = 1;
	must(!pthread_join(sender, 0));
}

static volatile int is_ready;

// Interrupts the next syscall of the first thread once.
static void *interrupt(void *writes_to) {
	while (!is_ready) sched_yield();
	until_asleep(waiter);
	must(!syscall(SYS_tgkill, getpid(), waiter, SIGUSR1));
	while (!handled) sched_yield();
	if (writes_to) must(write(*(int *)writes_to, "x", 1) == 1);
	return 0;
}

#define INTERRUPTED(call, end) do { \
	is_ready = handled = 0; \
	pthread_t other = thread(interrupt, end); \
	is_ready = 1; \
	result = call; \
	error = errno; \
	must(!pthread_join(other, 0) && handled == 1); \
} while (0)

#define FAILS_ONCE(call) do { INTERRUPTED(call, 0); errno = error; must(result == -1 && errno == EINTR); } while (0)

static void interrupted_where_they_wait(void) {
	int ends[2], word = 1, error, sockets = socket(AF_INET, SOCK_STREAM, 0), queue = epoll_create1(0);
	long result;
	char byte;
	struct timespec hour = { 3600, 0 };
	struct epoll_event event;
	waiter = syscall(SYS_gettid);
	handle_with(0);
	must(!pipe(ends));
	struct pollfd polled = { .fd = ends[0], .events = POLLIN };
	FAILS_ONCE(read(ends[0], &byte, 1));
	FAILS_ONCE(nanosleep(&hour, 0));
	FAILS_ONCE(poll(&polled, 1, -1));
	FAILS_ONCE(epoll_wait(queue, &event, 1, -1));
	FAILS_ONCE(syscall(SYS_futex, &word, 0, 1, 0, 0, 0));
	must(!mkfifo("fifo", 0600));
	FAILS_ONCE(open("fifo", O_WRONLY));
	int held = open("held", O_CREAT | O_RDWR, 0600), again = open("held", O_RDWR);
	must(!flock(held, LOCK_EX));
	FAILS_ONCE(flock(again, LOCK_EX));
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	must(!bind(sockets, (void *)&any, sizeof any) && !listen(sockets, 1));
	FAILS_ONCE(accept(sockets, 0, 0));
	// A stream socket with a full queue.
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "full" };
	int full = socket(AF_UNIX, SOCK_STREAM, 0), first = socket(AF_UNIX, SOCK_STREAM, 0);
	must(!bind(full, (void *)&name, sizeof name) && !listen(full, 0));
	must(!connect(first, (void *)&name, sizeof name));
	int second = socket(AF_UNIX, SOCK_STREAM, 0);
	FAILS_ONCE(connect(second, (void *)&name, sizeof name));
	pid_t child = born();
	if (!child) {
		pause();
		_exit(0);
	}
	int status;
	FAILS_ONCE(waitpid(child, &status, 0));
	must(!kill(child, SIGKILL));
	dies(child, SIGKILL);
	handle_with(SA_RESTART);
	INTERRUPTED(read(ends[0], &byte, 1), &ends[1]);
	must(result == 1);
	// These are never restarted.
	FAILS_ONCE(poll(&polled, 1, -1));
	FAILS_ONCE(epoll_wait(queue, &event, 1, -1));
}

int main(void) {
	beside_an_interval_timer(0);
	beside_an_interval_timer(SA_RESTART);
	beside_a_signalling_thread(0);
	beside_a_signalling_thread(SA_RESTART);
	interrupted_where_they_wait();
}
