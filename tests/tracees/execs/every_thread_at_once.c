// Eight threads and the leader call execve at the same moment and one succeeds; thirty times.
//
// exit: 8
// threads: 241
// vanished: any
// varies: all
#include "../tracee.h"

static int round_number;
static char *program;
static pthread_barrier_t together;

static void *executes(void *nothing) {
	char next[12];
	snprintf(next, sizeof next, "%d", round_number + 1);
	pthread_barrier_wait(&together);
	execl(program, program, next, (char *)0);
	return nothing;
}

int main(int argc, char **argv) {
	round_number = argc > 1 ? atoi(argv[1]) : 0;
	program = argv[0];
	if (round_number == 30) return 8;
	pthread_barrier_init(&together, 0, 9);
	for (int i = 0; i < 8; i++) thread(executes, 0);
	executes(0);
}
