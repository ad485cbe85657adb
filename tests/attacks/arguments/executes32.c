// A 32-bit program executes a new program, by path or by fd.
//
// new: process::execve::false,file | process::execveat::false,file
// variants: execve, execveat, after_vfork
// needs: 32-bit programs
// build: -m32
// times: 2
#include "../attack.h"

static void attack(const char *variant) {
	const char *name = fresh ? "/bin/false" : "/bin/true";
	char *words[] = { "program", 0 }, *nothing[] = { 0 };
	pid_t child = strcmp(variant, "after_vfork") ? fork() : vfork();
	must(child >= 0);
	if (!child) {
		if (!strcmp(variant, "execveat")) syscall(SYS_execveat, AT_FDCWD, name, words, nothing, 0);
		else execve(name, words, nothing);
		_exit(98);
	}
	int status;
	must(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == fresh);
}
