// A call's object changes between a look and the call: the text of a path, the target of a name, an
// fd. A thread or another process changes it without pause; the program checks the fd to see which
// object it got.
//
// new: device::openat::object=char:zero
// variants: text_by_thread, text_by_process, link_by_thread, link_by_process, cwd_by_thread
// happens: by chance
// times: 6
#include "../attack.h"

enum { TRIES = 400 };
static char (*text)[32];
static volatile int *over;
static const char *way;

static void links(const char *to) {
	must(!symlink(to, "next"));
	must(!rename("next", "link"));
}

static void now_byte(char *at, char value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }

static void changes(void) {
	on_cpu(1);
	const char *odd = fresh ? "/dev/zero" : "plain";
	for (unsigned round = 0; !*over; round++) {
		// Changes one byte of it.
		if (way[0] == 't') now_byte(*text + 3, round % 2 ? '1' : '0');
		else if (way[0] == 'l') links(round % 2 ? odd : "plain");
		else must(!chdir(round % 2 ? "odd" : "even"));
	}
}

static void *changes_in_thread(void *nothing) {
	changes();
	return nothing;
}

static int is_zero(int fd) {
	struct stat state;
	must(!fstat(fd, &state));
	reads(fd);
	return state.st_rdev == makedev(1, 5);
}

static void attack(const char *variant) {
	way = variant;
	char home[PATH_MAX], name[PATH_MAX + 8];
	must(getcwd(home, sizeof home));
	snprintf(name, sizeof name, "%s/plain", home);
	int plain = open(name, O_RDWR | O_CREAT, 0600);
	must(plain >= 0 && write(plain, "x", 1) == 1 && !close(plain));
	text = shared(sizeof *text);
	over = shared(sizeof *over);
	strcpy(*text, "way0");
	must(!symlink("plain", "way0") && !symlink(fresh ? "/dev/zero" : "plain", "way1"));
	links("plain");
	const char *path = way[0] == 't' ? *text : "link";
	if (way[0] == 'c') {
		// Each of two folders has a link to the other target; the name leads to another file in
		// each.
		path = "name";
		must(!mkdir("even", 0700) && !mkdir("odd", 0700));
		must(!symlink("../odd", "even/odd") && !symlink("../even", "even/even"));
		must(!symlink("../odd", "odd/odd") && !symlink("../even", "odd/even"));
		must(!symlink(name, "even/name") && !symlink(fresh ? "/dev/zero" : name, "odd/name"));
		must(!chdir("even"));
	}
	int is_process = strstr(way, "process") != 0, found = 0;
	pthread_t changer = 0;
	pid_t child = 0;
	if (is_process) {
		child = born(0);
		if (!child) {
			changes();
			_exit(0);
		}
	} else changer = thread(changes_in_thread, 0);
	on_cpu(0);
	for (int tries = 0; tries < TRIES && !found; tries++) {
		int fd = openat(AT_FDCWD, path, O_RDONLY);
		must(fd >= 0);
		found = is_zero(fd);
		must(!close(fd));
	}
	now(over, 1);
	if (is_process) leaves(child);
	else joined(changer);
	if (fresh && !found) _exit(NO_RACE);
}
