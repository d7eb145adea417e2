//! The behaviour of a fake server, given by the model's name.

/// The behaviour for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour<'a> {
    /// The marked answer, or else the last word.
    Good,
    /// Anything but the marked answer.
    Bad,
    /// The last word.
    Echo,
    /// A JSON object with the last word.
    Json,
    /// A grade with its reason.
    Judge,
    /// A text that differs between bodies.
    Text,
    /// A random bill within what the request allows, counted when the request arrives.
    Costly,
    /// A fault, with the number of times for each body if that is limited.
    Fault { fault: Fault<'a>, times: Option<u32> },
}

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault<'a> {
    /// This status, with this `Retry-After`.
    Status { status: u16, retry_after: Option<&'a str> },
    /// A fault of the connection or the body, by its name.
    Named(&'a str),
}

impl<'a> Behaviour<'a> {
    pub(super) fn of(model: &'a str) -> Self {
        let Some((kind, rest)) = model.split_once('-') else {
            return Self::Text;
        };
        match kind {
            "good" => Self::Good,
            "bad" => Self::Bad,
            "echo" => Self::Echo,
            "json" => Self::Json,
            "judge" => Self::Judge,
            "costly" => Self::Costly,
            "fault" => Self::fault(rest),
            _ => Self::Text,
        }
    }

    /// The behaviour for one body, of which a fickle model fails one in five.
    pub(super) fn for_body(model: &'a str, hash: u64) -> Self {
        let failing =
            |status, times| Self::Fault { fault: Fault::Status { status, retry_after: None }, times };
        match model {
            "judge-fickle" if hash.is_multiple_of(5) => failing(503, Some(1)),
            "judge-refusing" if hash.is_multiple_of(5) => failing(400, None),
            model => Self::of(model),
        }
    }

    fn fault(name: &'a str) -> Self {
        let (name, retry_after) =
            name.split_once("-retry-").map_or((name, None), |(name, word)| (name, Some(word)));
        let counted = name.rsplit_once('x').and_then(|(name, times)| Some((name, times.parse().ok()?)));
        let (name, times) = counted.map_or((name, None), |(name, times)| (name, Some(times)));
        let fault = match name.parse() {
            Ok(status @ 300..=599) => Fault::Status { status, retry_after },
            _ => Fault::Named(name),
        };
        Self::Fault { fault, times }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_understood() {
        let status = |status, retry_after, times| Behaviour::Fault {
            fault: Fault::Status { status, retry_after },
            times,
        };
        for (name, behaviour) in [
            ("good-1", Behaviour::Good),
            ("costly-1", Behaviour::Costly),
            ("judge-1", Behaviour::Judge),
            ("gpt", Behaviour::Text),
            ("gpt-4", Behaviour::Text),
            ("fault-429", status(429, None, None)),
            ("fault-429x2", status(429, None, Some(2))),
            ("fault-429-retry-3600", status(429, Some("3600"), None)),
            ("fault-429x1-retry-0.2", status(429, Some("0.2"), Some(1))),
            ("fault-html", Behaviour::Fault { fault: Fault::Named("html"), times: None }),
            ("fault-resetx3", Behaviour::Fault { fault: Fault::Named("reset"), times: Some(3) }),
        ] {
            assert_eq!(Behaviour::of(name), behaviour, "{name}");
        }
    }
}
