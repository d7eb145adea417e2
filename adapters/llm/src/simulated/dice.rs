//! Pseudo-random numbers that are a function of the call.

use domain::call::ChatCall;
use domain::value::Value;

/// A sequence of numbers, `SplitMix64` (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
pub(super) struct Dice(u64);

impl Dice {
    /// Dice for one purpose, which are the same for equal texts.
    pub(super) fn of(text: &str, purpose: &str) -> Self {
        Self(fnv1a(text) ^ fnv1a(purpose).rotate_left(32))
    }

    /// Dice for one purpose within a call.
    pub(super) fn of_call(call: &ChatCall, purpose: &str) -> Self {
        Self::of(&call.canonical(), purpose)
    }

    /// Dice for the answer to a call. At temperature 0, repetitions have the same answer.
    pub(super) fn of_answer(call: &ChatCall) -> Self {
        if temperature(call) > 0.0 {
            return Self::of_call(call, "answer");
        }
        Self::of_call(&ChatCall { repeat: 1, ..call.clone() }, "answer")
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability, from 0 to 1.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of these; `None` if there are none.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }

    /// A whole number from 0 to below `count`; 0 where that is 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % count).unwrap_or(0)
    }
}

/// The temperature of a call; 1 where none is set.
pub(super) fn temperature(call: &ChatCall) -> f64 {
    match call.parameters.get("temperature") {
        Some(Value::Number(number)) => number.as_f64().clamp(0.0, 2.0),
        _ => 1.0,
    }
}

/// The 64-bit FNV-1a hash (Fowler, Noll, Vo).
pub(super) fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
