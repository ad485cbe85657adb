// refuse ERRNO CALL,CALL… COMMAND ARG…: runs the command under a seccomp filter that refuses these
// calls, as the filter of a container may.
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct { const char *name; int number; } calls[] = {
	{ "statx", SYS_statx },
	{ "process_vm_readv", SYS_process_vm_readv },
	{ "pidfd_open", SYS_pidfd_open },
	{ "pidfd_getfd", SYS_pidfd_getfd },
	{ "perf_event_open", SYS_perf_event_open },
};

int main(int argc, char **argv) {
	if (argc < 4)
		return 99;
	struct sock_filter filter[32] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
	unsigned short length = 1;
	for (char *name = strtok(argv[2], ","); name; name = strtok(0, ","))
		for (size_t at = 0; at < sizeof calls / sizeof *calls; at++)
			if (!strcmp(calls[at].name, name)) {
				filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[at].number, 0, 1);
				filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | atoi(argv[1]));
			}
	filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { length, filter };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		return 98;
	execv(argv[3], argv + 3);
	return 97;
}
