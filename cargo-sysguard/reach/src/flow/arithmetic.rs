//! Arithmetic of values with numbers.

use iced_x86::Mnemonic;

use super::value::Value;

/// Returns the result of arithmetic with a number.
pub(super) fn with_number(mnemonic: Mnemonic, own: &Value, number: u64) -> Value {
    let signed = number as i64;
    match mnemonic {
        Mnemonic::Add => own.plus(signed),
        Mnemonic::Sub => own.plus(signed.wrapping_neg()),
        // Code aligns its stack so. The distance from the return address is then not known, but
        // that between the places of the aligned frame is.
        Mnemonic::And if own.frame().is_some() && (-4096..0).contains(&signed) => own.plus(signed),
        Mnemonic::And if number == 0 => Value::number(0),
        Mnemonic::And => own.map(|value| value & number),
        Mnemonic::Or if number == u64::MAX => Value::number(number),
        Mnemonic::Or if number as u32 == u32::MAX => Value::number(number),
        Mnemonic::Or => own.map(|value| value | number),
        Mnemonic::Xor => own.map(|value| value ^ number),
        _ => own.map(|value| u32::try_from(number).ok().and_then(|by| value.checked_shl(by)).unwrap_or(0)),
    }
}
