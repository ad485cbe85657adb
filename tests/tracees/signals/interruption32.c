// The same as a 32-bit program: signals with and without SA_RESTART, from a 100 µs timer and from
// another thread, against syscalls that never fail with EINTR and syscalls that wait. EINTR occurs
// only where the kernel returns it.
//
// processes: 2
// threads: any
// killed: SIGKILL 1
// needs: 32-bit programs
// build: -m32
// varies: all
#include "interruption.h"
