//! The invitation to vote: an address to type, and a QR code to scan.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use web::{OtherPage, Visitor};

/// A room uses one address, or a few. Clients that make up others cannot fill the memory.
const CODES_KEPT: usize = 8;

/// The QR codes that were shown last, by their addresses. Drawing one takes longer than
/// the rest of the page.
#[derive(Debug, Default)]
pub(crate) struct Codes(Mutex<VecDeque<(String, Option<String>)>>);

impl Codes {
    fn of(&self, url: &str) -> Option<String> {
        let known = self.take(url);
        let code = known.unwrap_or_else(|| code(url));
        let mut kept = self.kept();
        kept.truncate(CODES_KEPT - 1);
        kept.push_front((url.to_owned(), code.clone()));
        code
    }

    fn take(&self, url: &str) -> Option<Option<String>> {
        let mut kept = self.kept();
        let place = kept.iter().position(|(kept, _)| kept == url)?;
        kept.remove(place).map(|(_, code)| code)
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(String, Option<String>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How people get to the ballot.
#[derive(Debug)]
pub(crate) struct Invitation {
    pub(crate) url: String,
    /// The address without the parts that nobody needs to type.
    pub(crate) address: String,
    /// Whether only this machine can open it.
    pub(crate) is_local: bool,
    /// The QR code as SVG. `None` if only this machine can open the address, or if the
    /// address is too long for a code.
    pub(crate) code: Option<String>,
}

impl Invitation {
    pub(crate) fn to(ballot: &OtherPage, visitor: &Visitor, codes: &Codes) -> Self {
        let url = ballot.url(visitor);
        let address = url.trim_start_matches("http://").trim_start_matches("https://").trim_end_matches('/');
        let is_local = ballot.is_local(visitor);
        let code = if is_local { None } else { codes.of(&url) };
        Self { address: address.to_owned(), is_local, code, url }
    }
}

/// Draws the QR code: only its dark modules. The style sheet colours the background.
fn code(url: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(url, EcLevel::M).ok()?;
    let (dark, light) = (svg::Color("currentColor"), svg::Color("none"));
    let document = code.render().module_dimensions(1, 1).dark_color(dark).light_color(light).build();
    // Leave out the XML declaration, which is an error inside a page.
    document.find("<svg").map(|start| document[start..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_drawn_as_an_svg_element() {
        let code = code("http://192.168.1.20:8000/").unwrap();
        assert!(code.starts_with("<svg ") && code.ends_with("</svg>"), "{code}");
        assert!(code.contains("viewBox=") && code.contains("currentColor"), "{code}");
    }

    #[test]
    fn the_last_few_codes_are_kept() {
        let codes = Codes::default();
        for number in 0..CODES_KEPT + 1 {
            let url = format!("http://{number}/");
            assert_eq!(codes.of(&url), code(&url));
            assert_eq!(codes.of(&url), code(&url));
        }
        let kept = codes.0.lock().unwrap();
        assert_eq!(kept.len(), CODES_KEPT);
        assert!(!kept.iter().any(|(url, _)| url == "http://0/"));
    }

    #[test]
    fn an_address_longer_than_a_code_can_hold_has_none() {
        assert!(code(&"x".repeat(5_000)).is_none());
    }
}
