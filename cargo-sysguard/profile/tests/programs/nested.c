// Spends its time in innermost(), called by middle(), outer() and main(). With an argument, it
// first removes its own file.
#include <stdlib.h>
#include <unistd.h>

static volatile unsigned long sum;

__attribute__((noinline)) static void innermost(unsigned long rounds) {
	for (unsigned long i = 0; i < rounds; i++)
		sum += i * i;
}

__attribute__((noinline)) static void middle(unsigned long rounds) {
	innermost(rounds);
	sum++;
}

__attribute__((noinline)) static void outer(unsigned long rounds) {
	char room[3000];
	for (size_t i = 0; i < sizeof room; i++)
		room[i] = (char)i;
	middle(rounds);
	sum += (unsigned long)room[rounds % sizeof room];
}

int main(int argc, char **argv) {
	if (argc > 1 && unlink(argv[0]))
		return 1;
	outer(200UL * 1000 * 1000);
	return 0;
}
