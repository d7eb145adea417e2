//! Ids of stored things: 128 bits without further meaning.

use std::fmt;
use std::str::FromStr;

/// A text that is not an id. Ids are UUIDs: 32 hexadecimal digits, with or without hyphens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidId(String);

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an id: expected a UUID such as 018f4e3a-7b1c-7e65-9d8a-0123456789ab", self.0)
    }
}

impl std::error::Error for InvalidId {}

fn write_uuid(bits: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (a, b, c) = (bits >> 96, (bits >> 80) & 0xffff, (bits >> 64) & 0xffff);
    let (d, e) = ((bits >> 48) & 0xffff, bits & 0xffff_ffff_ffff);
    write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
}

fn read_uuid(text: &str) -> Result<u128, InvalidId> {
    let wrong = || InvalidId(text.to_owned());
    let hyphenated = text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| (b == b'-') == matches!(i, 8 | 13 | 18 | 23));
    let digits: String = if hyphenated { text.replace('-', "") } else { text.to_owned() };
    if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    u128::from_str_radix(&digits, 16).map_err(|_| wrong())
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// The id with these bits.
            #[must_use]
            pub const fn new(bits: u128) -> Self {
                Self(bits)
            }

            /// Its bits; the most significant byte comes first in its text.
            #[must_use]
            pub const fn bits(self) -> u128 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                read_uuid(text).map(Self)
            }
        }
    )+};
}

ids! {
    /// A project.
    ProjectId,
    /// An experiment.
    ExperimentId,
    /// A set of samples, shared by an experiment and its forks.
    SampleSetId,
    /// A sweep.
    SweepId,
    /// A run.
    RunId,
    /// An endpoint.
    EndpointId,
    /// A person's account.
    UserId,
    /// An entry of a project's export history.
    ExportId,
    /// A worker process, with a new id at each start.
    WorkerId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = RunId::new(0x018f_4e3a_7b1c_7e65_9d8a_0123_4567_89ab);
        assert_eq!(id.to_string(), "018f4e3a-7b1c-7e65-9d8a-0123456789ab");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("018F4E3A7B1C7E659D8A0123456789AB".parse(), Ok(id));
    }

    #[test]
    fn what_is_no_uuid_is_refused() {
        for text in ["", "1", "018f4e3a-7b1c-7e65-9d8a-0123456789a", "+18f4e3a7b1c7e659d8a0123456789ab", "ü"]
        {
            assert!(text.parse::<RunId>().is_err(), "{text:?} was accepted");
        }
    }
}
