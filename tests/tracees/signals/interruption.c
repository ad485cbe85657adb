// Signals with and without SA_RESTART, by a timer of 100 µs and by another thread, against syscalls
// that never fail with EINTR, and against syscalls that wait: EINTR is where the kernel
// gives it, and nowhere else.
//
// processes: 2
// threads: any
// varies: all
#include "interruption.h"
