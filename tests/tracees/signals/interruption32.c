// Signals with and without SA_RESTART, by a timer of 100 µs and by another thread, against syscalls
// that never fail with EINTR, and against syscalls that wait, in a 32-bit program: EINTR is where the kernel
// gives it, and nowhere else.
//
// processes: 2
// threads: any
// needs: 32-bit programs
// build: -m32
// varies: all
#include "interruption.h"
