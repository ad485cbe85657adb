// The filter returns USER_NOTIF; another process answers for the caller.
//
// processes: 2
// blind: seccomp_filter
// calls: getppid 3 errors 1
#include "filter.h"
#include <sys/ioctl.h>
#include <sys/socket.h>

static void hand_over(int socket, int file) {
	char byte = 0, control[CMSG_SPACE(sizeof file)] = { 0 };
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof file);
	memcpy(CMSG_DATA(head), &file, sizeof file);
	must(sendmsg(socket, &message, 0) == 1);
}

static int taken_over(int socket) {
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	must(recvmsg(socket, &message, 0) == 1);
	int file;
	memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof file);
	return file;
}

int main(void) {
	int sockets[2];
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid_t child = born();
	if (!child) {
		hand_over(sockets[1], answer_marks_with(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
		must(syscall(SYS_getppid) == 100 && syscall(SYS_getppid) == 101);
		must(syscall(SYS_getppid) == -1 && errno == EXDEV);
		_exit(3);
	}
	int listener = taken_over(sockets[0]);
	for (int i = 0; i < 3; i++) {
		struct seccomp_notif asked = { 0 };
		must(!ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) && asked.data.nr == SYS_getppid);
		struct seccomp_notif_resp answer = { .id = asked.id, .val = 100 + i };
		if (i == 2) answer.val = 0, answer.error = -EXDEV;
		must(!ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
	}
	leaves(child, 3);
}
