//! The format-checking child process: reads requests and answers them under resource limits.

use std::io::{self, BufRead as _, Write as _};

use application::form::Form;
use domain::scoring::Judgement;
use domain::value::Value;
use rustix::process::{Resource, Rlimit, setpriority_process, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::{KEPT_FORMATS, MAX_CPU_SECONDS, MAX_MEMORY, protocol};

/// The priority of a process that checks, as `nice` counts: 0 is what others have, 19 the lowest.
const COMPUTING_PRIORITY: i32 = 10;

/// Answers requests on stdin until there are no more. It limits the memory and the processor time of its process first,
/// so the process should do nothing else.
///
/// # Errors
/// Where the limits cannot be set, or whoever asks is gone.
pub fn check_formats() -> io::Result<()> {
    limit(Resource::As, MAX_MEMORY)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    // Whoever asks goes on with other work meanwhile.
    setpriority_process(None, COMPUTING_PRIORITY)?;
    let mut forms = Forms::default();
    let mut input = io::stdin().lock();
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let spent = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
        limit_softly(Resource::Cpu, u64::try_from(spent).unwrap_or_default() + MAX_CPU_SECONDS)?;
        let answer = protocol::answer(forms.check(&line));
        io::stdout().write_all(answer.as_bytes())?;
        io::stdout().flush()?;
        // A long text is not kept.
        line = String::new();
    }
    Ok(())
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    Ok(setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?)
}

/// A limit that can be raised again.
fn limit_softly(resource: Resource, most: u64) -> io::Result<()> {
    Ok(setrlimit(resource, Rlimit { current: Some(most), maximum: None })?)
}

/// The forms that were asked for lately, by their spelled options; the newest last.
#[derive(Default)]
struct Forms(Vec<(String, Form)>);

impl Forms {
    fn check(&mut self, line: &str) -> Result<Judgement, String> {
        let (options, text) = protocol::read_request(line).ok_or("not a request")?;
        let spelled = Value::Map(options.clone()).canonical();
        if let Some((_, form)) = self.0.iter().find(|(known, _)| *known == spelled) {
            return Ok(form.judge(&text));
        }
        let format = protocol::format(&options).ok_or("there is no such format")?;
        let form = Form::compile(&format).map_err(|problem| problem.detail)?;
        let judgement = form.judge(&text);
        if self.0.len() == KEPT_FORMATS {
            self.0.remove(0);
        }
        self.0.push((spelled, form));
        Ok(judgement)
    }
}

#[cfg(test)]
mod tests {
    use domain::scoring::{Format, Score};

    use super::*;

    #[test]
    fn formats_are_kept_and_forgotten() {
        let mut forms = Forms::default();
        for round in 0..3 {
            for i in 0..KEPT_FORMATS + round {
                let request = protocol::request(&Format::Regex(format!("^a{{{i}}}$")), &"a".repeat(i));
                assert_eq!(forms.check(&request).unwrap().value, Score::ONE);
                assert!(forms.0.len() <= KEPT_FORMATS);
            }
        }
        assert!(forms.check(&protocol::request(&Format::Regex("(".to_owned()), "")).is_err());
        assert!(forms.check("nonsense").is_err());
    }
}
