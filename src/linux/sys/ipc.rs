//! Removes System V objects: shmctl(2), semctl(2) and msgctl(2).

use libc::c_int;

/// Removes a shared memory segment. Errors are ignored: it may be gone, or another user's.
pub(in crate::linux) fn remove_memory(id: c_int) {
    // SAFETY: IPC_RMID ignores the buffer: shmctl(2).
    unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) };
}

/// Removes a set of semaphores, as [`remove_memory`].
pub(in crate::linux) fn remove_semaphores(id: c_int) {
    // SAFETY: IPC_RMID ignores the number of the semaphore and has no fourth argument: semctl(2).
    unsafe { libc::semctl(id, 0, libc::IPC_RMID) };
}

/// Removes a message queue, as [`remove_memory`].
pub(in crate::linux) fn remove_queue(id: c_int) {
    // SAFETY: IPC_RMID ignores the buffer: msgctl(2).
    unsafe { libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut()) };
}
