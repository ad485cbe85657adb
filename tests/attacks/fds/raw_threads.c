// Threads made by the raw clone, as by runtimes without a C library: one opens, another reads. They
// pass the number on by pipes or in memory.
//
// new: device::read::object=char:zero
// variants: pipes, memory, three_in_a_row, known_pipes, known_three_in_a_row
// needs: x86_64
// times: 4
#include "../attack.h"

enum { FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, STACK = 1 << 16 };
static char stacks[3][STACK] __attribute__((aligned(16)));
static volatile int made = -1;
static int go[2], done[2];
static const char *way;

// glibc's wrappers need thread-local storage to set errno; these calls do not fail.
static int opens(void *nothing) {
	(void)nothing;
	char byte;
	if (strcmp(way, "memory")) syscall(SYS_read, go[0], &byte, 1);
	made = syscall(SYS_openat, AT_FDCWD, "/dev/zero", O_RDONLY);
	if (strcmp(way, "memory")) syscall(SYS_write, done[1], "x", 1);
	syscall(SYS_exit, 0);
	return 0;
}

static int bears(void *level) {
	if (level < (void *)2) clone(bears, stacks[(intptr_t)level + 1] + STACK, FLAGS, (char *)level + 1);
	else {
			opens(0);
	}
	syscall(SYS_exit, 0);
	return 0;
}

static void attack(const char *variant) {
	way = variant;
	int plain = file();
	must(!pipe(go) && !pipe(done));
	if (!strcmp(way, "three_in_a_row")) must(clone(bears, stacks[0] + STACK, FLAGS, 0) > 0);
	else must(clone(opens, stacks[0] + STACK, FLAGS, 0) > 0);
	sched_yield();
	if (!strcmp(way, "memory")) while (made < 0) sched_yield();
	else {
		must(write(go[1], "x", 1) == 1);
		reads(done[0]);
	}
	for (int times = 0; times < 3; times++) reads(fresh ? made : plain);
}
