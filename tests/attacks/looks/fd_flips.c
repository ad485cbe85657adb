// A number means a device for moments only: a thread or a process that shares the table keeps
// replacing the fd that another one reads.
//
// new: device::read::object=char:zero
// variants: thread, process, dup3
// happens: by chance
// times: 4
#include "../attack.h"

// A look at the number just before a call may be wrong; over this many calls some must be right.
enum { TRIES = 600, ENOUGH = 100, NUMBER = 60 };
static volatile int *over;
static int plain, odd;
static const char *way;

static void changes(void) {
	on_cpu(1);
	for (unsigned round = 0; !*over; round++) {
		int source = round % 2 ? odd : plain;
		if (way[0] == 'd') must(dup3(source, NUMBER, O_CLOEXEC) == NUMBER);
		else must(dup2(source, NUMBER) == NUMBER);
	}
}

static void *changes_in_thread(void *nothing) {
	changes();
	return nothing;
}

static void attack(const char *variant) {
	way = variant;
	over = shared(sizeof *over);
	plain = open("text", O_RDWR | O_CREAT, 0600);
	must(write(plain, "xxxxxxxxxxxxxxxx", 16) == 16);
	odd = device();
	must(dup2(plain, NUMBER) == NUMBER);
	int is_process = way[0] == 'p', found = 0;
	pid_t child = is_process ? born(CLONE_FILES) : 0;
	if (is_process && !child) {
		changes();
		_exit(0);
	}
	pthread_t changer = 0;
	if (!is_process) changer = thread(changes_in_thread, 0);
	on_cpu(0);
	for (int tries = 0; tries < TRIES; tries++) {
		char byte = 'y';
		must(!lseek(plain, 0, SEEK_SET));
		must(read(fresh ? NUMBER : plain, &byte, 1) == 1);
		found += !byte;
	}
	now(over, 1);
	if (is_process) leaves(child);
	else joined(changer);
	if (fresh && found < ENOUGH) _exit(NO_RACE);
}
