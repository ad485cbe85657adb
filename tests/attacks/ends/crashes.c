// A child begins to crash: by each fault, by abort(3) or a signal of its own, in a thread, or after
// a thread has executed a program.
//
// new: signals::SIGSEGV | signals::SIGBUS | signals::SIGILL | signals::SIGFPE | signals::SIGABRT | signals::SIGSYS
// variants: segment, bus, illegal, divides, aborts, refused, in_a_thread, after_exec
// times: 10
#include "../attack.h"

static volatile int zero;

static void *crashes(void *unused) {
	if (fresh) *(volatile int *)8 = 1;
	return unused;
}
static void *executes(void *unused) {
	// Both modes execute this program; mode B lets it crash.
	execl("/proc/self/exe", "attack", fresh ? "B" : "A", "crash", (char *)0);
	return unused;
}

static void bus(void) {
	int empty = memfd_create("empty", 0);
	must(empty >= 0);
	volatile char *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, empty, 0);
	must(page != MAP_FAILED);
	if (fresh) *page = 1;
}
static void illegal(void) {
#if defined(__x86_64__)
	if (fresh) __asm__ volatile("ud2");
#else
	if (fresh) __asm__ volatile(".word 0");
#endif
}
static void divides(void) {
	if (!fresh) return;
	zero = 1 / zero;
	raise(SIGFPE); // Not every processor traps.
}

static void end(const char *variant) {
	if (!strcmp(variant, "segment")) crashes(0);
	else if (!strcmp(variant, "bus")) bus();
	else if (!strcmp(variant, "illegal")) illegal();
	else if (!strcmp(variant, "divides")) divides();
	else if (!strcmp(variant, "aborts")) raise(fresh ? SIGABRT : SIGCHLD);
	else if (!strcmp(variant, "refused")) raise(fresh ? SIGSYS : SIGCHLD);
	else if (!strcmp(variant, "in_a_thread")) joined(thread(crashes, 0));
	else if (!strcmp(variant, "after_exec")) joined(thread(executes, 0));
	else must(!"a known variant");
}

static void attack(const char *variant) {
	if (!strcmp(variant, "crash")) {
		crashes(0);
		return;
	}
	pid_t child = born(0);
	if (!child) {
		end(variant);
		_exit(0);
	}
	int status;
	must(waitpid(child, &status, __WALL) == child);
	must(fresh ? WIFSIGNALED(status) : WIFEXITED(status) && !WEXITSTATUS(status));
}
