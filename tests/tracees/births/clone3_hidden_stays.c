// No stop announces this child: its clone3 arguments are longer than any kernel's and lie in memory
// that a tracer cannot write. It keeps running and makes a child of its own. Both are attached,
// traced from then on, and end with the tree.
//
// processes: 3
// killed: SIGKILL 1
// exit: 7
// blind: untraced_child
// calls: clone3 1, getppid 2
// varies: all
// strace: blind to the child
#include "../tracee.h"

static void makes_another(void) {
	usleep(200000);
	pid_t another = fork();
	must(another >= 0);
	syscall(SYS_getppid);
	if (!another)
		_exit(0);
	pause();
	_exit(3);
}

int main(void) {
	union { struct clone_args args; char bytes[256]; } wanted = { .args = { .flags = CLONE_UNTRACED, .exit_signal = SIGCHLD } };
	char path[32];
	int file = memfd_create("x", 0);
	must(write(file, &wanted, sizeof wanted) == sizeof wanted);
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	int readable = open(path, O_RDONLY);
	must(readable >= 0);
	struct clone_args *mapped = mmap(0, sizeof wanted, PROT_READ, MAP_SHARED, readable, 0);
	must(mapped != MAP_FAILED);
	pid_t child = syscall(SYS_clone3, mapped, sizeof wanted);
	must(child >= 0);
	if (!child) {
		// Ends the child in an untraced run, too.
		alarm(3);
		makes_another();
	}
	usleep(500000);
	kill(child, SIGKILL);
	must(waitpid(child, 0, 0) == child);
	return 7;
}
