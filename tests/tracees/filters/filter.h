// A seccomp filter that decides getppid, the call that trials count, and allows every other call.
#include "../tracee.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

static inline int answer_marks_with(unsigned action, unsigned flags) {
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, rules };
	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	int made = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	must(made >= 0);
	return made;
}
