//! Limits of rendering.

use super::Fault;

/// The most steps of one rendering.
pub(super) const STEPS: usize = 1_000_000;
/// The most bytes of a result, and of every intermediate text.
pub(super) const BYTES: usize = 4 << 20;
/// The deepest nesting of blocks, expressions and lists.
pub(super) const DEPTH: usize = 64;

/// Limits of one rendering.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    pub(super) steps: usize,
    pub(super) bytes: usize,
}

impl Effort {
    /// The limits of any rendering.
    pub(super) const MOST: Self = Self { steps: STEPS, bytes: BYTES };
    /// The limits of a rendering that takes well under a millisecond.
    pub(super) const LITTLE: Self = Self { steps: 5_000, bytes: 64 << 10 };
}

/// A text with a maximum size.
#[derive(Debug)]
pub(super) struct Bounded {
    text: String,
    most: usize,
}

impl Default for Bounded {
    fn default() -> Self {
        Self::new(BYTES)
    }
}

impl Bounded {
    pub(super) const fn new(most: usize) -> Self {
        Self { text: String::new(), most }
    }

    pub(super) fn push(&mut self, more: &str, at: usize) -> Result<(), Fault> {
        if self.text.len() + more.len() > self.most {
            return Err(Fault::new(at, format!("the text grows beyond {} MiB", BYTES >> 20)));
        }
        self.text.push_str(more);
        Ok(())
    }

    /// Appends a text several times.
    pub(super) fn push_times(&mut self, more: &str, times: usize, at: usize) -> Result<(), Fault> {
        (0..times).try_for_each(|_| self.push(more, at))
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// The remaining steps.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Budget {
    pub(super) const fn new(steps: usize) -> Self {
        Self(steps)
    }

    pub(super) fn spend(&mut self, steps: usize, at: usize) -> Result<(), Fault> {
        match self.0.checked_sub(steps) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(Fault::new(at, format!("rendering takes more than {STEPS} steps"))),
        }
    }
}

pub(super) fn check_depth(depth: usize, at: usize) -> Result<usize, Fault> {
    if depth > DEPTH {
        Err(Fault::new(at, format!("this is nested more than {DEPTH} levels deep")))
    } else {
        Ok(depth)
    }
}
