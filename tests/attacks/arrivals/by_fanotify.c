// Each event read from a fanotify group carries an fd of its file: here one of a kind that only
// mode B reads.
//
// new: system::read::object=file:proc
// needs: root
#include "../attack.h"
#include <sys/fanotify.h>

static void attack(const char *variant) {
	(void)variant;
	int group = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
	if (group < 0) impossible("a fanotify group");
	if (unshare(CLONE_NEWNS)) impossible("a mount namespace");
	must(!mount("none", "/", 0, MS_REC | MS_PRIVATE, 0));
	must(!mkdir("proc", 0700) && !mount("proc", "proc", "proc", 0, 0));
	int plain = open("plain", O_RDWR | O_CREAT, 0600);
	must(plain >= 0 && write(plain, "x", 1) == 1 && !close(plain));
	if (fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, fresh ? "proc/uptime" : "plain")) impossible("a mark");
	// Another process with its own fds causes the event.
	pid_t child = born(0);
	if (!child) {
		int fd = openat(AT_FDCWD, fresh ? "proc/uptime" : "plain", O_RDONLY);
		must(fd >= 0);
		_exit(0);
	}
	leaves(child);
	struct fanotify_event_metadata event;
	must(read(group, &event, sizeof event) >= (ssize_t)sizeof event && event.fd >= 0);
	must(!close(group));
	reads(event.fd);
}
