// The kernel passes the program's file to a binfmt_misc interpreter as an fd: AT_EXECFD. Here the
// file is of another kind, and the interpreter reads it.
//
// new: memory::read::object=memfd
// needs: root
// build: -static
#include "../attack.h"
#include <sys/auxv.h>

static void writes(const char *path, const char *text) {
	int fd = open(path, O_WRONLY);
	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !close(fd));
}

static void maps(void) {
	writes("/proc/self/setgroups", "deny");
	writes("/proc/self/uid_map", "0 0 1");
	writes("/proc/self/gid_map", "0 0 1");
}

static void registers(void) {
	char own[PATH_MAX], line[PATH_MAX + 64];
	ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
	must(length > 0);
	own[length] = 0;
	if (unshare(CLONE_NEWNS)) impossible("namespaces");
	must(!mkdir("misc", 0700) && !mount("none", "/", 0, MS_REC | MS_PRIVATE, 0));
	// Before Linux 6.7 all user namespaces share one list, which must not be changed.
	if (unshare(CLONE_NEWUSER)) impossible("a user namespace");
	maps();
	if (unshare(CLONE_NEWNS) || mount("binfmt_misc", "misc", "binfmt_misc", 0, 0)) impossible("binfmt_misc of its own");
	int list = open("misc/register", O_WRONLY);
	must(list >= 0);
	int wanted = snprintf(line, sizeof line, ":attack:M::SYSGUARDATTACK::%s:O", own);
	must(write(list, line, wanted) == wanted && !close(list));
}

static void attack(const char *variant) {
	unsigned long given = getauxval(AT_EXECFD);
	if (given) {
		// As the interpreter: its first argument is the program's path.
		reads(given);
		return;
	}
	(void)variant;
	registers();
	int memory = memfd_create("attack", 0), plain = open("program", O_RDWR | O_CREAT, 0700);
	must(memory >= 0 && plain >= 0 && !fchmod(memory, 0700));
	must(write(memory, "SYSGUARDATTACK\n", 15) == 15 && write(plain, "SYSGUARDATTACK\n", 15) == 15);
	// A program that is open for writing cannot be executed; the child has no fd of it.
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fd/%d", getpid(), fresh ? memory : plain);
	int again = opened(path, O_RDONLY);
	must(!close(plain) && !close(memory));
	snprintf(path, sizeof path, "/proc/%d/fd/%d", getpid(), again);
	pid_t child = born(0);
	if (!child) {
		must(!close(again));
		char *words[] = { "attack", fresh ? "B" : "A", 0 }, *nothing[] = { 0 };
		execve(path, words, nothing);
		must(!"executed");
	}
	leaves(child);
}
