// A process that is not dumpable ends by signals that dump core, and leaves no core file. A signal
// of that kind that it ignores or handles leaves its limit as it is.
//
// processes: 6
// killed: SIGABRT 1, SIGQUIT 1, SIGSEGV 1, SIGSYS 1, SIGTRAP 1
#include "dumpable.h"
#include <dirent.h>
#include <sys/resource.h>

static void handles(int signal) { (void)signal; }

static rlim_t limit(void) {
	struct rlimit core;
	must(!getrlimit(RLIMIT_CORE, &core));
	return core.rlim_cur;
}

static int core_files(void) {
	int files = 0;
	DIR *folder = opendir(".");
	must(folder);
	for (struct dirent *entry; (entry = readdir(folder));) files += !strncmp(entry->d_name, "core", 4);
	must(!closedir(folder));
	return files;
}

int main(void) {
	static const int SIGNALS[] = { SIGSEGV, SIGABRT, SIGQUIT, SIGSYS, SIGTRAP };
	struct rlimit core;
	must(!getrlimit(RLIMIT_CORE, &core));
	core.rlim_cur = core.rlim_max;
	must(!setrlimit(RLIMIT_CORE, &core));
	for (size_t at = 0; at < sizeof SIGNALS / sizeof *SIGNALS; at++) {
		pid_t child = born();
		if (!child) {
			must(!set_dumpable(0));
			must(signal(SIGNALS[at], SIG_IGN) != SIG_ERR && !raise(SIGNALS[at]));
			must(signal(SIGNALS[at], handles) != SIG_ERR && !raise(SIGNALS[at]));
			must(limit() == core.rlim_max);
			must(signal(SIGNALS[at], SIG_DFL) != SIG_ERR);
			raise(SIGNALS[at]);
			_exit(9);
		}
		int status = reap(child);
		must(WIFSIGNALED(status) && WTERMSIG(status) == SIGNALS[at] && !WCOREDUMP(status));
	}
	must(core_files() == 0);
}
