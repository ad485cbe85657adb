// A child that nothing can reveal: its flags lie where not even a tracer may write, a mapping of a file that is open for reading only. That is told,
// and the child is waited for by its parent only. (A filter, which it inherits, would hear its calls.)
//
// blind: untraced_child
// calls: clone3 1
// strace: blind to the child
#include "../tracee.h"

int main(void) {
	struct clone_args wanted = { .flags = CLONE_UNTRACED, .exit_signal = SIGCHLD };
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
