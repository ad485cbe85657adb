// A call without the C library, which checks that no register of an argument has changed.
#ifndef CALL_H
#define CALL_H
#include "../../tracees/tracee.h"

#if defined(__x86_64__)
static long raw(long number, const long a[6]) {
	long result, rdi = a[0], rsi = a[1], rdx = a[2];
	register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
	__asm__ volatile("syscall"
		: "=a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9)
		: "0"(number) : "rcx", "r11", "memory");
	must(rdi == a[0] && rsi == a[1] && rdx == a[2] && r10 == a[3] && r8 == a[4] && r9 == a[5]);
	return result;
}
#elif defined(__i386__)
static long raw(long number, const long a[6]) {
	long result, ebx = a[0], ecx = a[1], edx = a[2], esi = a[3], edi = a[4];
	__asm__ volatile("int $0x80"
		: "=a"(result), "+b"(ebx), "+c"(ecx), "+d"(edx), "+S"(esi), "+D"(edi) : "0"(number) : "memory");
	must(ebx == a[0] && ecx == a[1] && edx == a[2] && esi == a[3] && edi == a[4]);
	return result;
}
#elif defined(__aarch64__)
static long raw(long number, const long a[6]) {
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a[0], x1 __asm__("x1") = a[1];
	register long x2 __asm__("x2") = a[2], x3 __asm__("x3") = a[3], x4 __asm__("x4") = a[4], x5 __asm__("x5") = a[5];
	__asm__ volatile("svc 0"
		: "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5) : "r"(x8) : "memory");
	must(x1 == a[1] && x2 == a[2] && x3 == a[3] && x4 == a[4] && x5 == a[5]);
	return x0;
}
#endif

#define RESULTS 64
static struct { const char *name; long result; } results[RESULTS];
static int made;

// Makes a call and keeps its result. Each line that calls it is a stack of its own.
static long __attribute__((noinline)) call(const char *name, long number, long a, long b, long c, long d, long e) {
	must(made < RESULTS);
	long result = raw(number, (long[]){ a, b, c, d, e, 0 });
	results[made].name = name;
	results[made++].result = result;
	return result;
}
#define CALL(name, a, b, c, d, e) \
	call(#name, SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

// Prints the results, one line each.
static void print(void) {
	for (int i = 0; i < made; i++) dprintf(1, "%s %ld\n", results[i].name, results[i].result);
}
#endif
