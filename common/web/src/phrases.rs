//! The phrases of the frame, of the notices, and those that both pages use, in
//! every language. The other phrases of a page are in its own crate.
//!
//! A phrase that lacks a language does not compile. `{name}` is a gap to fill. If
//! a phrase goes with a number, bars separate its forms.

use crate::Language;

/// A phrase that is chosen before the visitor's language is known.
pub type Phrase = fn(Language) -> &'static str;

/// Makes a table of phrases, and the function `say` that returns the table in a language.
#[macro_export]
macro_rules! phrases {
    ($vis:vis struct Phrases: $($name:ident: $en:literal, $es:literal, $gl:literal, $ru:literal;)*) => {
        /// The phrases, in one language.
        #[derive(Debug)]
        $vis struct Phrases {
            $(#[doc = $en] $vis $name: &'static str,)*
        }

        /// The phrases in this language.
        $vis fn say(language: $crate::Language) -> &'static Phrases {
            static ENGLISH: Phrases = Phrases { $($name: $en,)* };
            static SPANISH: Phrases = Phrases { $($name: $es,)* };
            static GALICIAN: Phrases = Phrases { $($name: $gl,)* };
            static RUSSIAN: Phrases = Phrases { $($name: $ru,)* };
            match language {
                $crate::Language::English => &ENGLISH,
                $crate::Language::Spanish => &SPANISH,
                $crate::Language::Galician => &GALICIAN,
                $crate::Language::Russian => &RUSSIAN,
            }
        }

        #[cfg(test)]
        #[test]
        fn every_phrase_is_complete_in_every_language() {
            $crate::assert_complete(&[$((stringify!($name), [$en, $es, $gl, $ru]),)*]);
        }
    };
}

phrases! {
    pub struct Phrases:
    // The frame.
    language_switch: "Language", "Idioma", "Idioma", "Язык";
    answered_by: "Answered by {replica}", "Responde {replica}", "Responde {replica}", "Отвечает {replica}";
    release: "release {release}", "versión {release}", "versión {release}", "версия {release}";
    embedded:
        "Everything runs in one process here, without Redis and PostgreSQL.",
        "Aquí todo funciona en un solo proceso, sin Redis ni PostgreSQL.",
        "Aquí todo funciona nun só proceso, sen Redis nin PostgreSQL.",
        "Здесь всё работает в одном процессе, без Redis и PostgreSQL.";

    // Both pages.
    map: "The map", "El mapa", "O mapa", "Карта";
    waiting:
        "{n} recorded vote waits to be counted.|{n} recorded votes wait to be counted.",
        "{n} voto registrado espera el recuento.|{n} votos registrados esperan el recuento.",
        "{n} voto rexistrado agarda o reconto.|{n} votos rexistrados agardan o reconto.",
        "{n} принятый голос ждёт подсчёта.|{n} принятых голоса ждут подсчёта.|{n} принятых голосов ждут подсчёта.";

    // Notices.
    back: "Go to the main page", "Ir a la página principal", "Ir á páxina principal", "На главную страницу";
    not_found: "Not found", "No encontrado", "Non atopado", "Не найдено";
    nothing_here:
        "There is nothing at this address.", "No hay nada en esta dirección.",
        "Non hai nada neste enderezo.", "По этому адресу ничего нет.";
    not_allowed: "Not allowed", "No permitido", "Non permitido", "Не разрешено";
    wrong_method:
        "This address does not take that kind of request.", "Esta dirección no admite ese tipo de petición.",
        "Este enderezo non admite ese tipo de petición.", "Этот адрес не принимает такие запросы.";
    fails_on_purpose:
        "This replica fails on purpose", "Esta réplica falla a propósito",
        "Esta réplica falla adrede", "Эта реплика сбоит намеренно";
    try_again:
        "Somebody wants to see what happens then. Load the page again.",
        "Alguien quiere ver qué pasa entonces. Vuelve a cargar la página.",
        "Alguén quere ver que pasa entón. Carga a páxina de novo.",
        "Кто-то хочет посмотреть, что тогда будет. Загрузите страницу ещё раз.";
    with_curl: "With curl", "Con curl", "Con curl", "С помощью curl";
}

/// Fills a gap in a phrase.
pub fn fill(phrase: &str, gap: &str, text: &str) -> String {
    phrase.replace(&format!("{{{gap}}}"), text)
}

/// A text of any language, isolated so that its direction does not change the
/// direction of the sentence around it.
pub fn isolated(text: &str) -> String {
    format!("\u{2068}{text}\u{2069}")
}

/// A check for the tests of every table. It panics unless each phrase is translated
/// and has, in every language, the same gaps and all its forms.
#[doc(hidden)]
pub fn assert_complete(phrases: &[(&str, [&str; Language::ALL.len()])]) {
    for (name, texts) in phrases {
        let [english, others @ ..] = texts;
        let has_number = english.contains('|');
        for (language, text) in Language::ALL.into_iter().zip(texts) {
            let forms: Vec<&str> = text.split('|').collect();
            let expected = if has_number { language.plural_forms() } else { 1 };
            assert_eq!(forms.len(), expected, "{name}: {text}");
            for form in forms {
                assert!(!form.trim().is_empty(), "{name} is empty in {language}");
                assert_eq!(gaps(form), gaps(english), "{name} in {language}: {form}");
            }
        }
        let is_cyrillic = |letter: char| ('\u{400}'..'\u{500}').contains(&letter);
        assert!(others.iter().all(|text| text != english), "{name} was left in English");
        assert!(texts[Language::Russian as usize].contains(is_cyrillic), "{name} is not in Russian");
        assert!(!english.contains(is_cyrillic), "{name} is not in English");
    }
}

/// The gaps of a phrase's first form.
fn gaps(phrase: &str) -> Vec<&str> {
    let form = phrase.split('|').next().unwrap_or_default();
    let mut gaps: Vec<&str> =
        form.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect();
    gaps.sort_unstable();
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_turn_the_sentence_around() {
        let said = fill("Your vote is for {label}.", "label", &isolated("קפה"));
        assert_eq!(said, "Your vote is for \u{2068}קפה\u{2069}.");
    }

    #[test]
    fn numbers_choose_the_form() {
        let phrase = "{n} голос|{n} голоса|{n} голосов";
        let said = [1, 3, 5, 1_234].map(|number| Language::Russian.count(phrase, number));
        assert_eq!(said, ["1 голос", "3 голоса", "5 голосов", "1\u{a0}234 голоса"]);
    }
}
