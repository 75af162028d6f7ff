//! Whether a poll still has the labels for which its votes were recorded.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use crate::{Choice, Poll};

/// The labels of a poll's options, by key.
pub type Labels = BTreeMap<Choice, String>;

/// An option whose label was changed, although the poll kept its id. Votes for the former label
/// now count for the present one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relabelled {
    /// The option's key.
    pub choice: Choice,
    /// The label for which votes were recorded.
    pub was: String,
    /// The label now.
    pub is: String,
}

impl Poll {
    /// The labels of all options.
    pub fn labels(&self) -> Labels {
        self.choices().map(|(choice, label)| (choice, label.to_owned())).collect()
    }

    /// The options that had another label before. Options that were added or removed are none of
    /// them: no vote counts for another label because of those.
    pub fn relabelled(&self, before: &Labels) -> Vec<Relabelled> {
        let with_former = self.choices().filter_map(|(choice, is)| Some((choice, before.get(&choice)?, is)));
        with_former
            .filter(|(_, was, is)| was != is)
            .map(|(choice, was, is)| Relabelled { choice, was: was.clone(), is: is.to_owned() })
            .collect()
    }
}

impl Display for Relabelled {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "the key {} was {:?} and is {:?}", self.choice, self.was, self.is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_changed_places_or_names_are_relabelled_and_new_and_removed_ones_are_not() {
        let poll = |options: &[&str]| Poll {
            id: "lunch".parse().unwrap(),
            question: "?".to_owned(),
            options: options.iter().map(ToString::to_string).collect(),
        };
        let before = poll(&["Soup", "Salad"]).labels();
        let told = |options: &[&str]| {
            let relabelled = poll(options).relabelled(&before);
            relabelled.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(told(&["Soup", "Salad"]), "");
        assert_eq!(told(&["Soup", "Salad", "Neither"]), "");
        assert_eq!(told(&["Soup"]), "");
        assert_eq!(told(&["Soup", "Salads"]), r#"the key b was "Salad" and is "Salads""#);
        let swapped = r#"the key a was "Soup" and is "Salad", the key b was "Salad" and is "Soup""#;
        assert_eq!(told(&["Salad", "Soup"]), swapped);
    }
}
