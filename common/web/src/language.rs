//! The languages of the pages, and how each writes numbers.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// A language of the pages. Every phrase is written in each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English, also for visitors who read none of these languages.
    English,
    /// Spanish.
    Spanish,
    /// Galician.
    Galician,
    /// Russian.
    Russian,
}

impl Language {
    /// All of them, in the order of the page's language switch.
    pub const ALL: [Self; 4] = [Self::English, Self::Spanish, Self::Galician, Self::Russian];

    /// The language with this code, as in `lang="es"`.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(code))
    }

    /// The code, as in `lang="es"`.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::Galician => "gl",
            Self::Russian => "ru",
        }
    }

    /// The language's name in the language itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Spanish => "Español",
            Self::Galician => "Galego",
            Self::Russian => "Русский",
        }
    }

    /// A whole number.
    pub fn number(self, number: u64) -> String {
        let digits = number.to_string();
        // Spanish groups digits only in numbers with five digits or more.
        if self == Self::Spanish && digits.len() == 4 {
            return digits;
        }
        let mut grouped = String::with_capacity(digits.len() * 2);
        for (at, digit) in digits.char_indices() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                grouped.push(self.group_mark());
            }
            grouped.push(digit);
        }
        grouped
    }

    /// A number with one decimal.
    pub fn decimal(self, number: f64) -> String {
        let rounded = format!("{number:.1}");
        let (whole, tenths) = rounded.split_once('.').unwrap_or((&rounded, "0"));
        let mark = if self == Self::English { '.' } else { ',' };
        format!("{}{mark}{tenths}", self.number(whole.parse().unwrap_or(0)))
    }

    /// A share of one, as a percentage.
    pub fn percent(self, share: f64) -> String {
        let space = if self == Self::English { "" } else { "\u{a0}" };
        format!("{}{space}%", self.decimal(share * 100.0))
    }

    /// A duration, in its largest whole unit.
    pub fn duration(self, duration: Duration) -> String {
        const UNITS: [(u64, &str, &str); 4] =
            [(86_400, "d", "дн"), (3_600, "h", "ч"), (60, "min", "мин"), (1, "s", "с")];
        let seconds = duration.as_secs();
        let (length, latin, russian) =
            UNITS.into_iter().find(|(length, ..)| seconds >= *length).unwrap_or(UNITS[3]);
        let unit = if self == Self::Russian { russian } else { latin };
        format!("{}\u{a0}{unit}", self.number(seconds / length))
    }

    /// The phrase, in the form that goes with this number, with the number filled in.
    pub fn count(self, phrase: &str, number: u64) -> String {
        let form = phrase.split('|').nth(self.plural_form(number)).unwrap_or(phrase);
        form.replace("{n}", &self.number(number))
    }

    /// The position of the form that goes with this number. 0 is the singular.
    pub fn plural_form(self, number: u64) -> usize {
        match (self, number % 10, number % 100) {
            (Self::Russian, 1, tens) if tens != 11 => 0,
            (Self::Russian, 2..=4, tens) if !(12..=14).contains(&tens) => 1,
            (Self::Russian, ..) => 2,
            _ => usize::from(number != 1),
        }
    }

    /// How many forms a phrase with a number has.
    pub fn plural_forms(self) -> usize {
        if self == Self::Russian { 3 } else { 2 }
    }

    fn group_mark(self) -> char {
        match self {
            Self::English => ',',
            Self::Spanish | Self::Galician => '.',
            Self::Russian => '\u{a0}',
        }
    }
}

impl Display for Language {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Language::{English, Galician, Russian, Spanish};

    /// The expected texts are what `Intl.NumberFormat` writes.
    #[test]
    fn numbers_are_written_as_each_language_writes_them() {
        let cases = [
            (English, ["999", "1,234", "12,345", "1,234,567", "61.5%", "3.3"]),
            (Spanish, ["999", "1234", "12.345", "1.234.567", "61,5\u{a0}%", "3,3"]),
            (Galician, ["999", "1.234", "12.345", "1.234.567", "61,5\u{a0}%", "3,3"]),
            (Russian, ["999", "1\u{a0}234", "12\u{a0}345", "1\u{a0}234\u{a0}567", "61,5\u{a0}%", "3,3"]),
        ];
        for (language, expected) in cases {
            let numbers = [999, 1_234, 12_345, 1_234_567].map(|number| language.number(number));
            assert_eq!(numbers, expected[..4], "{language}");
            assert_eq!([language.percent(0.615), language.decimal(3.26)], expected[4..], "{language}");
        }
    }

    #[test]
    fn a_stretch_of_time_is_told_in_its_largest_unit() {
        let cases = [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7_199, "1 h"), (172_800, "2 d")];
        for (seconds, expected) in cases {
            assert_eq!(English.duration(Duration::from_secs(seconds)).replace('\u{a0}', " "), expected);
        }
        assert_eq!(Russian.duration(Duration::from_secs(61)), "1\u{a0}мин");
    }

    #[test]
    fn russian_has_three_forms_and_the_others_two() {
        for number in [1, 21, 101, 1_001] {
            assert_eq!(Russian.plural_form(number), 0, "{number}");
        }
        for number in [2, 3, 4, 22, 104] {
            assert_eq!(Russian.plural_form(number), 1, "{number}");
        }
        for number in [0, 5, 11, 12, 14, 20, 111, 112] {
            assert_eq!(Russian.plural_form(number), 2, "{number}");
        }
        for language in [English, Spanish, Galician] {
            assert_eq!([0, 1, 2, 21].map(|number| language.plural_form(number)), [1, 0, 1, 1]);
        }
    }
}
