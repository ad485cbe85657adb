// Makes objects that outlive it, and prints their names.
#include "../../tracees/tracee.h"

#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

int main(void) {
	char name[64];
	snprintf(name, sizeof name, "/sysguard-explore-%d", getpid());
	dprintf(1, "%d\n", shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600));
	dprintf(1, "%d\n", semget(IPC_PRIVATE, 1, IPC_CREAT | 0600));
	dprintf(1, "%d\n", msgget(IPC_PRIVATE, IPC_CREAT | 0600));
	must(shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600) >= 0);
	dprintf(1, "%s\n", name);
	mark();
}
