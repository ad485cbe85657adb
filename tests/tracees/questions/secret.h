// Memory that neither the kernel nor a tracer reads for another process: memfd_secret(2).
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static inline void *secret(void) {
	int file = syscall(SYS_memfd_secret, 0);
	must(file >= 0 && !ftruncate(file, 4096));
	void *memory = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	must(memory != MAP_FAILED);
	return memory;
}
