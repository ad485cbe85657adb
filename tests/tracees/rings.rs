//! A program that closes an fd without a close call.

use std::process::ExitCode;

use libc::{c_int, c_long};

use super::kinds::NOT_HERE;
use super::objects::{between_marks, call, eventfd, fd, read};

/// `struct io_uring_params` and offsets in it; include/uapi/linux/io_uring.h
const PARAMETERS: usize = 30;
const TAIL: usize = 11;
const ARRAY: usize = 16;
const IORING_OFF_SQES: c_long = 0x1000_0000;
const IORING_ENTER_GETEVENTS: c_int = 1;
const IORING_OP_CLOSE: u32 = 19;

/// The number of an eventfd that was read belongs to another file after the ring has closed it.
pub(super) fn closes_by_ring() -> ExitCode {
    let mut is_made = false;
    between_marks(|| {
        let closed = eventfd();
        read(closed);
        let mut parameters = [0_u32; PARAMETERS];
        let ring = call!(libc::SYS_io_uring_setup, 1, parameters.as_mut_ptr());
        is_made = ring >= 0;
        if is_made {
            submit_close(fd(ring), &parameters, closed);
            let taken = fd(call!(libc::SYS_memfd_create, c"x".as_ptr(), 0));
            assert_eq!(taken, closed, "the lowest number is taken");
            read(taken);
        }
    });
    ExitCode::from(if is_made { 0 } else { NOT_HERE })
}

fn submit_close(ring: c_int, parameters: &[u32; PARAMETERS], closed: c_int) {
    let shared = |offset: c_long| {
        let both = libc::PROT_READ | libc::PROT_WRITE;
        call!(libc::SYS_mmap, 0, 4096, both, libc::MAP_SHARED | libc::MAP_POPULATE, ring, offset) as *mut u32
    };
    let (queue, entry) = (shared(0), shared(IORING_OFF_SQES));
    let put = |page: *mut u32, at: u32, value: u32| {
        // SAFETY: a page shared with the kernel, all zeroes, and an offset inside it.
        unsafe { page.wrapping_byte_add(at as usize).write_volatile(value) }
    };
    put(entry, 0, IORING_OP_CLOSE);
    put(entry, 4, closed.cast_unsigned());
    put(queue, parameters[ARRAY], 0);
    put(queue, parameters[TAIL], 1);
    call!(libc::SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, 0, 0);
}
