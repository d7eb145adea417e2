//! Writes variables so that all common readers of `.env` files, and all shells, read the same text: python-dotenv
//! with its interpolation, Node's dotenv and `--env-file`, Docker Compose, bash and dash.

use std::collections::BTreeSet;

use crate::value::Value;

/// The suffix of a variable whose value is in base64.
const BASE64_SUFFIX: &str = "_BASE64";

/// A file of variables.
#[derive(Default)]
pub(super) struct EnvFile {
    text: String,
    names: BTreeSet<String>,
}

impl EnvFile {
    /// Adds a variable, named by the path of its value.
    pub(super) fn put(&mut self, path: &[&str], value: &Value) {
        let wanted = path.iter().map(|part| variable(part)).collect::<Vec<_>>().join("_");
        let name = self.free_name(&wanted);
        if name != wanted {
            self.comment(&format!("{name} is {}: {wanted} is taken", path.join(".")));
        }
        let text = value.to_text();
        if let Some(spelling) = spelling(&text) {
            self.text.extend([&name, "=", &spelling, "\n"]);
        } else {
            self.comment(&format!("{name} is in base64, because no quoting of it reads the same everywhere"));
            self.text.extend([&name, BASE64_SUFFIX, "=", &base64(text.as_bytes()), "\n"]);
        }
        self.names.insert(format!("{name}{BASE64_SUFFIX}"));
        self.names.insert(name);
    }

    /// Adds a comment, which every reader sees as one line.
    pub(super) fn comment(&mut self, text: &str) {
        let breaks = |c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}';
        self.text.push_str("# ");
        self.text.extend(text.chars().map(|c| if breaks(c) { ' ' } else { c }));
        self.text.push('\n');
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// The name, with a number appended if it is taken.
    fn free_name(&self, wanted: &str) -> String {
        let is_free = |name: &String| {
            !self.names.contains(name) && !self.names.contains(&format!("{name}{BASE64_SUFFIX}"))
        };
        let numbered = (2_u64..).map(|n| format!("{wanted}_{n}"));
        std::iter::once(wanted.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
    }
}

/// Converts a name to a valid variable name.
fn variable(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// The text after `NAME=`; `None` if readers disagree on every way to quote it.
fn spelling(text: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Some(text.to_owned());
    }
    // Some readers drop or convert carriage returns, and shells drop zero bytes.
    if text.contains(['\r', '\0']) {
        return None;
    }
    // python-dotenv reads `\\` as one backslash even in single quotes, readers disagree on `\'`, and nothing escapes
    // a quote.
    if !text.contains('\'') && !text.contains("\\\\") && !text.ends_with('\\') && !is_interpolated(text) {
        return Some(format!("'{text}'"));
    }
    // Double quotes, if nothing starts an escape or a substitution.
    (!text.contains(['"', '\\', '$', '`'])).then(|| format!("\"{text}\""))
}

/// Whether python-dotenv would interpolate a part of the text, which it does in any quotes.
fn is_interpolated(text: &str) -> bool {
    text.match_indices("${").any(|(at, open)| {
        let rest = &text[at + open.len()..];
        let name = rest.find([':', '}']).and_then(|end| rest.get(end..)).unwrap_or_default();
        name.starts_with('}') || name.starts_with(":-") && name.contains('}')
    })
}

/// Standard base64, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits =
            (0..3).fold(0_usize, |bits, i| bits << 8 | usize::from(chunk.get(i).copied().unwrap_or(0)));
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 0x3f;
            out.push(if digit <= chunk.len() { char::from(DIGITS[value]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(values: &[(&[&str], &str)]) -> String {
        let mut file = EnvFile::default();
        for (path, value) in values {
            file.put(path, &Value::from(*value));
        }
        file.into_text()
    }

    #[test]
    fn values_are_quoted_as_little_as_they_can_be() {
        for (value, spelled) in [
            ("qwen2.5-72b", Some("qwen2.5-72b")),
            ("", Some("''")),
            (" a #b\n$HOME `x` \"y\" é😀!", Some("' a #b\n$HOME `x` \"y\" é😀!'")),
            ("it's\n#1", Some("\"it's\n#1\"")),
            ("a\\nb", Some("'a\\nb'")),
            ("${PRICE", Some("'${PRICE'")),
            ("${a:b}", Some("'${a:b}'")),
            ("${PRICE}", None),
            ("${a:-b}", None),
            ("it's $5", None),
            ("it's \"so\"", None),
            ("a\\\\b", None),
            ("a\\", None),
            ("a\r\nb", None),
            ("a\0b", None),
        ] {
            assert_eq!(spelling(value).as_deref(), spelled, "{value:?}");
        }
    }

    #[test]
    fn what_no_quoting_fits_is_in_base64() {
        for (text, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("é\\😀?", "w6lc8J+YgD8=")]
        {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
        assert_eq!(
            file(&[(&["a"], "x\\")]),
            "# A is in base64, because no quoting of it reads the same everywhere\nA_BASE64=eFw=\n"
        );
    }

    #[test]
    fn no_variable_takes_the_name_of_another() {
        assert_eq!(
            file(&[
                (&["x", "a-b"], "1"),
                (&["x", "a_b"], "2"),
                (&["x", "A_B"], "3"),
                (&["x"], "\\"),
                (&["x", "base64"], "4")
            ]),
            "X_A_B=1\n# X_A_B_2 is x.a_b: X_A_B is taken\nX_A_B_2=2\n# X_A_B_3 is x.A_B: X_A_B is taken\nX_A_B_3=3\n\
             # X is in base64, because no quoting of it reads the same everywhere\nX_BASE64=XA==\n\
             # X_BASE64_2 is x.base64: X_BASE64 is taken\nX_BASE64_2=4\n"
        );
    }

    #[test]
    fn comments_stay_on_their_line() {
        let mut file = EnvFile::default();
        file.comment("a\nb\r\u{2028}A=1");
        assert_eq!(file.into_text(), "# a b  A=1\n");
    }
}
