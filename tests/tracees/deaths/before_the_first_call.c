// Programs that may be executed but not read end before their first call: by a fault, by SIGKILL at
// any moment, or with their first call. A tracer without privileges can query a program only once it
// makes a call, and the run reports that.
//
// processes: 40
// calls: getppid 1
// varies: execve, wait4, nanosleep, clock_nanosleep, restart_syscall
// blind: unanswerable
// needs: x86_64, ordinary user
#include "../tracee.h"
#include <elf.h>
#include <stddef.h>
#include <sys/stat.h>

// Writes a program that consists of this code only.
static void program(const char *path, const char *code, size_t size) {
	const unsigned long begin = 0x400000;
	struct { Elf64_Ehdr head; Elf64_Phdr segment; char code[32]; } image = { 0 };
	image.head = (Elf64_Ehdr) {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_EXEC, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_entry = begin + offsetof(__typeof__(image), code), .e_phoff = sizeof image.head,
		.e_ehsize = sizeof image.head, .e_phentsize = sizeof image.segment, .e_phnum = 1,
	};
	image.segment = (Elf64_Phdr) {
		.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = begin, .p_filesz = sizeof image, .p_memsz = sizeof image, .p_align = 4096,
	};
	memcpy(image.code, code, size);
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0700);
	must(file >= 0 && write(file, &image, sizeof image) == sizeof image && !fchmod(file, 0111) && !close(file));
}

static pid_t starts(const char *path) {
	pid_t child = born();
	if (child) return child;
	execl(path, path, (char *)0);
	_exit(9);
}

int main(void) {
	static const char FAULT[] = "\x0f\x0b", LOOP[] = "\xeb\xfe", LEAVE[] = "\xbf\x07\0\0\0\xb8\xe7\0\0\0\x0f\x05";
	program("fault", FAULT, sizeof FAULT);
	program("loop", LOOP, sizeof LOOP);
	program("leave", LEAVE, sizeof LEAVE);
	mark();
	for (int round = 0; round < 13; round++) {
		dies(starts("fault"), SIGILL);
		leaves(starts("leave"), 7);
		pid_t child = starts("loop");
		nap(round % 4);
		must(!kill(child, SIGKILL));
		dies(child, SIGKILL);
	}
}
