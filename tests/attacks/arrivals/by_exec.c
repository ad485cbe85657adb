// An interpreter of binfmt_misc is given the program's file as an fd: AT_EXECFD. Here the file is of another kind, and the interpreter reads it.
//
// new: memory::read::object=memfd
// needs: root
// build: -static
#include "../attack.h"
#include <sys/auxv.h>

static void registers(void) {
	char own[PATH_MAX], line[PATH_MAX + 64];
	ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
	must(length > 0);
	own[length] = 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS)) impossible("namespaces");
	must(!mkdir("misc", 0700) && !mount("none", "/", 0, MS_REC | MS_PRIVATE, 0));
	if (mount("binfmt_misc", "misc", "binfmt_misc", 0, 0)) impossible("binfmt_misc of its own");
	int list = open("misc/register", O_WRONLY);
	must(list >= 0);
	int wanted = snprintf(line, sizeof line, ":attack:M::SYSGUARDATTACK::%s:O", own);
	must(write(list, line, wanted) == wanted && !close(list));
}

static void attack(const char *variant) {
	unsigned long given = getauxval(AT_EXECFD);
	if (given) {
		// As the interpreter: its first argument is what was executed.
		reads(given);
		return;
	}
	(void)variant;
	registers();
	int memory = memfd_create("attack", 0), plain = open("program", O_RDWR | O_CREAT, 0700);
	must(memory >= 0 && plain >= 0);
	must(write(memory, "SYSGUARDATTACK\n", 15) == 15 && write(plain, "SYSGUARDATTACK\n", 15) == 15 && !close(plain));
	char *words[] = { "attack", fresh ? "B" : "A", 0 }, *nothing[] = { 0 };
	if (fresh) execveat(memory, "", words, nothing, AT_EMPTY_PATH);
	else execve("program", words, nothing);
	must(!"executed");
}
