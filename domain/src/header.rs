//! Headers that documents add to requests: what they can be called, and what they can hold.

/// The most headers that one request is given, and bytes in the value of each.
pub const MAX_HEADERS: usize = 32;
/// The longest value of a header, in bytes.
pub const MAX_HEADER_VALUE: usize = 4_096;

/// What is wrong with a mask where no value is stored that it could stand for.
pub(crate) const NOT_KEPT: &str =
    "give the value: `***` stands for a stored one, and none is stored here for this URL";

/// Headers that belong to the exchange itself.
const RESERVED: [&str; 9] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Checks the name of a header.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token) {
        return Err("a header's name is made of letters, digits and hyphens".to_owned());
    }
    if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("`{name}` is set by the exchange itself"));
    }
    Ok(())
}

/// Checks the value of a header, which no message repeats.
///
/// # Errors
/// What it can be.
pub fn check_value(value: &str) -> Result<(), String> {
    let is_printable = |c: char| (' '..='~').contains(&c);
    if (1..=MAX_HEADER_VALUE).contains(&value.len()) && value.chars().all(is_printable) {
        return Ok(());
    }
    Err(format!("a header's value is 1 to {MAX_HEADER_VALUE} printable ASCII characters"))
}
