// Calls to the vsyscall page, which the kernel emulates in the page fault: seccomp filters run, but
// these are not syscalls.
//
// needs: x86_64
// calls: getppid 10, gettimeofday 0, time 0, getcpu 0
#include "../tracee.h"
#include <stdint.h>
#include <sys/time.h>

static int has_page(void) {
	static char maps[1 << 16];
	int file = open("/proc/self/maps", O_RDONLY);
	size_t length = 0;
	for (ssize_t more; length < sizeof maps - 1 && (more = read(file, maps + length, sizeof maps - 1 - length)) > 0;) length += more;
	close(file);
	return strstr(maps, "[vsyscall]") != 0;
}

int main(void) {
	const uintptr_t page = 0xffffffffff600000;
	long (*get_time_of_day)(struct timeval *, void *) = (void *)page;
	long (*get_time)(time_t *) = (void *)(page + 0x400);
	long (*get_cpu)(unsigned *, unsigned *, void *) = (void *)(page + 0x800);
	int has = has_page();
	for (int i = 0; i < 10; i++) {
		struct timeval now = {0, 0};
		unsigned cpu;
		if (has) must(!get_time_of_day(&now, 0) && now.tv_sec && get_time(0) >= now.tv_sec && !get_cpu(&cpu, 0, 0));
		mark();
	}
}
