//! When a server wants to be asked again.

use std::time::{Duration, SystemTime};

use domain::time::Timestamp;
use serde_json::Value;

/// The wait asked for by `retry-after-ms` or `retry-after` (seconds, whole or not, or an HTTP date; RFC 9110, 10.2.3).
/// What makes no sense, or asks for no wait at all, asks for nothing.
pub(crate) fn parse<'a>(header: impl Fn(&str) -> Option<&'a str>, now: Timestamp) -> Option<Duration> {
    let millis = header("retry-after-ms").and_then(|text| span(text, 1e-3));
    millis.or_else(|| {
        let text = header("retry-after")?;
        span(text, 1.0).or_else(|| until(text, now))
    })
}

/// The wait that an error asks for where no header does: `RetryInfo` among Google's details, Hugging Face's estimate of how
/// long a model loads, or a sentence such as "try again in 1.5s".
pub(crate) fn within(error: &Value) -> Option<Duration> {
    let details = error.get("details").and_then(Value::as_array);
    let named = details.into_iter().flatten().find_map(|detail| detail.get("retryDelay")?.as_str());
    let estimated = || Duration::try_from_secs_f64(error.get("estimated_time")?.as_f64()?).ok();
    named.and_then(|text| span(text, 1.0)).or_else(estimated).or_else(|| {
        let said = error.get("message")?.as_str()?;
        let (_, behind) = said.split_once("ry again in ")?;
        let end = behind.find(|c: char| c != '.' && !c.is_ascii_digit())?;
        let (count, unit) = behind.split_at(end);
        let unit = unit.trim_start();
        let unit = if unit.starts_with("ms") || unit.starts_with("millisecond") {
            1e-3
        } else if unit.starts_with('s') {
            1.0
        } else {
            return None;
        };
        span(count.trim_end_matches('.'), unit)
    })
}

/// A number of units, which may name seconds or milliseconds itself.
fn span(text: &str, unit: f64) -> Option<Duration> {
    let text = text.trim();
    let (text, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(millis), _) => (millis.trim_end(), 1e-3),
        (None, Some(seconds)) => (seconds.trim_end(), 1.0),
        (None, None) => (text, unit),
    };
    let count: f64 = text.parse().ok()?;
    Duration::try_from_secs_f64(count * unit).ok().filter(|span| !span.is_zero())
}

fn until(date: &str, now: Timestamp) -> Option<Duration> {
    let date = httpdate::parse_http_date(date.trim()).ok()?;
    let micros = date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_micros();
    let wait = Timestamp::from_micros(i64::try_from(micros).ok()?).since(now);
    Some(wait).filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sensible_waits_are_understood() {
        // 2026-04-06T12:00:00Z
        let now = Timestamp::from_micros(1_775_476_800_000_000);
        for (name, text, millis) in [
            ("retry-after", "2", Some(2000)),
            ("retry-after", " 0.25 ", Some(250)),
            ("retry-after", "3600", Some(3_600_000)),
            ("retry-after", "2s", Some(2000)),
            ("retry-after", "250ms", Some(250)),
            ("retry-after", "Mon, 06 Apr 2026 12:00:30 GMT", Some(30_000)),
            ("retry-after", "Mon, 06 Apr 2026 11:59:30 GMT", None),
            ("retry-after", "soon", None),
            ("retry-after", "-5", None),
            ("retry-after", "0", None),
            ("retry-after", "NaN", None),
            ("retry-after", "inf", None),
            ("retry-after", "1e300", None),
            ("retry-after-ms", "150", Some(150)),
            ("retry-after-ms", "-1", None),
            ("x-other", "5", None),
        ] {
            let got = parse(|wanted| (wanted == name).then_some(text), now);
            assert_eq!(got, millis.map(Duration::from_millis), "{name}: {text}");
        }
    }

    #[test]
    fn waits_in_errors_are_understood() {
        for (error, millis) in [
            (
                json!({"details": [{}, {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12.5s"}]}),
                Some(12_500),
            ),
            (json!({"message": "Rate limit reached. Please try again in 1.5s. Visit"}), Some(1_500)),
            (json!({"message": "Please try again in 20 ms"}), Some(20)),
            (json!({"message": "Try again in 3 seconds."}), Some(3_000)),
            (json!({"message": "Please try again in a while"}), None),
            (json!({"message": "Please try again in 5 minutes"}), None),
            (json!({"details": "none"}), None),
        ] {
            assert_eq!(within(&error), millis.map(Duration::from_millis), "{error}");
        }
    }

    #[test]
    fn milliseconds_come_first_where_they_make_sense() {
        let both = |millis: &'static str| {
            parse(
                move |name| Some(if name == "retry-after-ms" { millis } else { "7" }),
                Timestamp::from_micros(0),
            )
        };
        assert_eq!(both("20"), Some(Duration::from_millis(20)));
        assert_eq!(both("?"), Some(Duration::from_secs(7)));
    }
}
