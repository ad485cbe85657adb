// Faults of a processor.
#include "../tracee.h"

static void segment(void) { *(volatile int *)8 = 1; }
static void bus(void) {
	int empty = open("empty", O_CREAT | O_RDWR, 0600);
	*(volatile char *)mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, empty, 0) = 1;
}
static void illegal(void) {
#if defined(__x86_64__) || defined(__i386__)
	__asm__ volatile("ud2");
#else
	__asm__ volatile(".word 0");
#endif
}
