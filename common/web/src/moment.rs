//! A moment, as pages show it.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

/// A moment, to the second. It is written in RFC 3339 format, and a page's script
/// rewrites it in the visitor's own time zone and format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(SystemTime);

/// The end of the year 9999: RFC 3339 cannot write later moments.
const LAST_MS: i64 = 253_402_300_799_999;

impl Moment {
    /// The present moment.
    pub fn now() -> Self {
        Self(SystemTime::now())
    }

    /// The moment at this time.
    pub fn at(time: SystemTime) -> Self {
        Self(time)
    }

    /// The moment this many milliseconds after the beginning of 1970, or the nearest
    /// one that can be written.
    pub fn from_ms(ms: i64) -> Self {
        Self(UNIX_EPOCH + Duration::from_millis(ms.clamp(0, LAST_MS).unsigned_abs()))
    }

    /// The time in UTC, for pages without their script, and the date unless it is
    /// today's. It is UTC because the server does not know the visitor's time zone.
    pub fn in_utc(self) -> String {
        let (then, now) = (self.to_string(), Self::now().to_string());
        let (date, time) = then.split_at(10);
        let time = time.trim_start_matches('T').trim_end_matches('Z');
        if now.starts_with(date) { format!("{time} UTC") } else { format!("{date} {time} UTC") }
    }
}

impl Display for Moment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_seconds(self.0).fmt(f)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_shown_unless_it_is_todays() {
        let long_ago = Moment::from_ms(1_700_000_000_000);
        assert_eq!(long_ago.to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(long_ago.in_utc(), "2023-11-14 22:13:20 UTC");
        assert_eq!(Moment::now().in_utc().len(), "22:13:20 UTC".len());
    }

    #[test]
    fn a_moment_that_cannot_be_written_is_written_as_the_nearest_one() {
        for ms in [LAST_MS, LAST_MS + 1, i64::MAX] {
            assert_eq!(Moment::from_ms(ms).in_utc(), "9999-12-31 23:59:59 UTC");
        }
        for ms in [0, -1, i64::MIN] {
            assert_eq!(Moment::from_ms(ms).in_utc(), "1970-01-01 00:00:00 UTC");
        }
    }
}
