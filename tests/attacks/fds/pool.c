// A pool of threads waits; each short-lived worker opens a file, and the main thread reads it. One
// of the files is of another kind.
//
// new: system::read::object=file:proc
// times: 4
#include "../attack.h"

static int go[2], fd;

static void *idles(void *nothing) {
	reads(go[0]);
	return nothing;
}

static void *opens(void *path) {
	fd = opened(path, O_RDONLY);
	return 0;
}

static void attack(const char *variant) {
	(void)variant;
	must(!pipe(go));
	pthread_t pool[3];
	for (int idle = 0; idle < 3; idle++) pool[idle] = thread(idles, 0);
	joined(thread(opens, "/etc/passwd"));
	reads(fd);
	must(!close(fd));
	joined(thread(opens, "/proc/uptime"));
	if (fresh) for (int times = 0; times < 3; times++) reads(fd);
	must(write(go[1], "xxx", 3) == 3);
	for (int idle = 0; idle < 3; idle++) joined(pool[idle]);
}
