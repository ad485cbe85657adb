// One thread sets and clears CLONE_UNTRACED in the arguments of clone3 while another one makes
// children. Each child is traced and finds its parent's registers and arguments unchanged.
//
// processes: 201
// threads: 202
// calls: clone3 201
// untraced: 9
// varies: all
// strace: loses children
#include "../tracee.h"
#include <pthread.h>

static volatile struct clone_args wanted;
static volatile int stop;

static void *flip(void *nothing) {
	while (!stop) {
		wanted.flags = CLONE_UNTRACED;
		wanted.flags = 0;
	}
	return nothing;
}

static int has_tracer(void) {
	char text[4096];
	int file = open("/proc/self/status", O_RDONLY);
	ssize_t length = read(file, text, sizeof text - 1);
	close(file);
	text[length > 0 ? length : 0] = 0;
	char *tracer = strstr(text, "TracerPid:\t");
	return tracer && atoi(tracer + 11) != 0;
}

int main(void) {
	pthread_t thread;
	must(!pthread_create(&thread, 0, flip, 0));
	int escaped = 0;
	for (int i = 0; i < 200; i++) {
		wanted.exit_signal = SIGCHLD;
		pid_t child = syscall(SYS_clone3, &wanted, sizeof wanted);
		must(child >= 0);
		if (!child)
			_exit(has_tracer() ? 0 : 9);
		int status;
		must(waitpid(child, &status, 0) == child);
		escaped |= WEXITSTATUS(status);
	}
	stop = 1;
	pthread_join(thread, 0);
	return escaped;
}
