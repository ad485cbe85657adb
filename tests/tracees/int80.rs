//! Calls of 32-bit programs made by a 64-bit program; their truth is stated in the trial.

/// Makes calls of 32-bit programs that carry other calls.
pub(super) fn calls_of_32_bits() {
    let low = libc::MAP_32BIT | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let both = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: maps new memory and replaces no mapping; mmap(2).
    let words = unsafe { libc::mmap(std::ptr::null_mut(), 4096, both, low, -1, 0) };
    let fill = |numbers: [u32; 6]| {
        // SAFETY: the page is ours and large enough.
        unsafe { words.cast::<[u32; 6]>().write(numbers) };
        words.addr() as u32
    };
    const SOCKETCALL: u32 = 102;
    let socket = int80(SOCKETCALL, [1, fill([libc::AF_UNIX as u32, libc::SOCK_DGRAM as u32, 0, 0, 0, 0]), 0]);
    // Behind the words: the abstract name `x`, and a message to it.
    let place = words.addr() as u32 + 64;
    for (offset, number) in [(64, u32::from_le_bytes([libc::AF_UNIX as u8, 0, 0, b'x'])), (128, place), (132, 4)] {
        // SAFETY: the page is ours and large enough.
        unsafe { words.cast::<u32>().wrapping_byte_add(offset).write(number) };
    }
    int80(SOCKETCALL, [3, fill([socket, place, 4, 0, 0, 0]), 0]);
    int80(SOCKETCALL, [16, fill([socket, place + 64, 0, 0, 0, 0]), 0]);
    int80(SOCKETCALL, [13, fill([socket, 2, 0, 0, 0, 0]), 0]);
    int80(SOCKETCALL, [14, fill([socket, libc::SOL_SOCKET as u32, libc::SO_DEBUG as u32, 0, 0, 0]), 0]);
    int80(90, [fill([0, 4096, 5, 0x22, 0xffff_ffff, 0]), 0, 0]);
    // SHMAT of no segment, with SHM_EXEC.
    int80(117, [21, u32::MAX, 0o100_000]);
    int80(117, [23, 0, 0]);
    int80(54, [socket, 0x8921, 0]);
    int80(221, [socket, 13, 0]);
    // One that only x86_64 has.
    let mut base = 0_u64;
    super::objects::call!(libc::SYS_arch_prctl, 0x1003, &raw mut base);
}

fn int80(number: u32, arguments: [u32; 3]) -> u32 {
    let returned: u32;
    let [first, second, third] = arguments;
    // SAFETY: passes numbers, and one page below 4 GiB; rbx, which the compiler reserves, is
    // restored.
    unsafe {
        std::arch::asm!(
            "xchg rbx, {first:r}",
            "int 0x80",
            "xchg rbx, {first:r}",
            first = inout(reg) u64::from(first) => _,
            inlateout("eax") number => returned,
            in("ecx") second,
            in("edx") third,
            in("esi") 0,
            in("edi") 0,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    returned
}
