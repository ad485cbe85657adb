// No stop announces this child: its clone3 arguments are longer than any kernel's and lie in memory
// that a tracer cannot write. The run reports a blind spot, and the child is attached once its
// number is known, unless it has ended by then.
//
// processes: any
// blind: untraced_child
// calls: clone3 1
// strace: blind to the child
#include "../tracee.h"

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
	if (!child)
		_exit(3);
	leaves(child, 3);
}
