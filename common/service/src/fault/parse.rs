//! The parameters of faults.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::time::Duration;

/// A fault that somebody forgot ends before the next lesson.
const LASTS_MAX: Duration = Duration::from_secs(60 * 60);

/// A shorter fault would end before anybody looks.
pub(super) const LASTS_MIN: Duration = Duration::from_secs(1);

/// Longer than any page or proxy waits, so more would show nothing else.
const DELAY_MAX: Duration = Duration::from_secs(30);

/// A shorter delay cannot be told from none.
const DELAY_MIN: Duration = Duration::from_millis(1);

/// How long a fault may last.
pub(super) fn lasting(text: &str) -> Result<Duration, String> {
    time(text, LASTS_MIN, LASTS_MAX)
}

/// For how long an answer may be held back.
pub(super) fn delay(text: &str) -> Result<Duration, String> {
    time(text, DELAY_MIN, DELAY_MAX)
}

fn time(text: &str, min: Duration, max: Duration) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|_| "write a time such as 2s".to_owned())?;
    let said = humantime::format_duration;
    match time {
        _ if time < min => Err(format!("it must be at least {}", said(min))),
        _ if time > max => Err(format!("it may be at most {}", said(max))),
        _ => Ok(time),
    }
}

/// A share of all, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u8);

impl Share {
    /// Whether the request or try with this number is one of those that fail. The golden ratio
    /// spreads them evenly and without a period: a pattern could always hit the same file of a page.
    pub(super) fn hits(self, number: u64) -> bool {
        const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
        let percent = u64::MAX / 100;
        number.wrapping_mul(GOLDEN_RATIO) / percent < u64::from(self.0)
    }
}

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percent = text.strip_suffix('%').unwrap_or(text).parse().ok();
        let share = percent.filter(|percent| (1..=100).contains(percent)).map(Self);
        share.ok_or("write a share from 1% to 100%, such as 30%")
    }
}

impl Display for Share {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_any_hundred_in_a_row_is_hit() {
        for percent in [1_u8, 30, 50, 99, 100] {
            for from in [0, 7, 1_000_000, u64::MAX - 500] {
                let numbers = (0..100).map(|at| from + at);
                let hits = numbers.filter(|number| Share(percent).hits(*number)).count();
                assert!(hits.abs_diff(usize::from(percent)) <= 2, "{hits} instead of {percent} from {from}");
            }
        }
        let all = (0..10_000).all(|number| Share(100).hits(number));
        assert!(all, "all means all");
    }
}
