// A child ends by a signal that does not mean a crash.
//
// new: signals::SIGKILL | signals::SIGTERM | signals::SIGPIPE
// variants: killed, terminated, broken_pipe
// times: 10
#include "../attack.h"

static void attack(const char *variant) {
	int ends[2], status;
	must(!pipe(ends));
	int is_pipe = !strcmp(variant, "broken_pipe");
	int number = is_pipe || !fresh ? 0 : !strcmp(variant, "killed") ? SIGKILL : SIGTERM;
	// The tests may have been started with this signal ignored.
	signal(SIGPIPE, SIG_DFL);
	volatile int *over = shared(sizeof *over);
	pid_t child = born(0);
	if (!child) {
		if (is_pipe && fresh) must(!close(ends[0]));
		until(over, 1);
		if (is_pipe) must(write(ends[1], "x", 1) == 1);
		_exit(0);
	}
	must(!close(ends[0]) && !kill(child, number));
	if (!number) now(over, 1);
	must(waitpid(child, &status, __WALL) == child);
	must(fresh ? WIFSIGNALED(status) : WIFEXITED(status) && !WEXITSTATUS(status));
}
