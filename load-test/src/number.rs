//! How numbers are written.

use common::language::Language;

/// In English, with its thousands set apart.
pub(crate) fn number(number: u64) -> String {
    Language::English.number(number)
}
