// Job control on a pseudo-terminal: a shell's job is stopped by ^Z, continued in the foreground,
// and ended by ^C.
//
// processes: 3
// killed: SIGINT 1
// calls: getppid 1, setsid 1
// varies: all
#include "../tracee.h"
#include <sys/ioctl.h>
#include <termios.h>

static void shell(const char *terminal, int ready) {
	must(setsid() == getpid());
	int tty = open(terminal, O_RDWR);
	must(tty >= 0);
	signal(SIGTTOU, SIG_IGN);
	pid_t job = born();
	if (!job) {
		setpgid(0, 0);
		tcsetpgrp(tty, getpid());
		signal(SIGTTOU, SIG_DFL);
		must(write(ready, "r", 1) == 1);
		for (;;) pause();
	}
	setpgid(job, job);
	int status;
	must(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
	must(!tcsetpgrp(tty, getpgrp()));
	mark();
	must(!tcsetpgrp(tty, job) && !kill(-job, SIGCONT));
	must(waitpid(job, &status, WCONTINUED) == job && WIFCONTINUED(status));
	must(write(ready, "c", 1) == 1);
	dies(job, SIGINT);
	_exit(3);
}

int main(void) {
	int master = posix_openpt(O_RDWR | O_NOCTTY), ready[2];
	must(master >= 0 && !grantpt(master) && !unlockpt(master) && !pipe(ready));
	pid_t child = born();
	if (!child) shell(ptsname(master), ready[1]);
	char byte;
	must(read(ready[0], &byte, 1) == 1 && byte == 'r' && write(master, "\032", 1) == 1);
	must(read(ready[0], &byte, 1) == 1 && byte == 'c' && write(master, "\003", 1) == 1);
	leaves(child, 3);
}
