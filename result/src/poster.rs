//! How a room gets to the ballot: an address to type and a code to scan.

use common::http::{Reader, Sibling};
use qrcode::{Color, EcLevel, QrCode};

/// Light modules around a code, without which it cannot be read.
const QUIET_ZONE: usize = 4;

/// The way to the ballot.
#[derive(Debug)]
pub(crate) struct Poster {
    pub(crate) url: String,
    /// The same without what nobody needs to type.
    pub(crate) address: String,
    /// Whether other machines cannot open it.
    pub(crate) is_local: bool,
    /// None as well for an address that is longer than a code can hold.
    pub(crate) code: Option<Code>,
}

/// A QR code as SVG draws it.
#[derive(Debug)]
pub(crate) struct Code {
    /// How many modules a side has.
    side: usize,
    /// The dark ones.
    pub(crate) path: String,
}

impl Poster {
    pub(crate) fn to(ballot: &Sibling, reader: &Reader) -> Self {
        let url = ballot.url(reader);
        let address = url.trim_start_matches("http://").trim_start_matches("https://").trim_end_matches('/');
        let is_local = ballot.is_local(reader);
        let code = if is_local { None } else { code(&url) };
        Self { address: address.to_owned(), is_local, code, url }
    }
}

impl Code {
    pub(crate) fn view_box(&self) -> String {
        let side = self.side + 2 * QUIET_ZONE;
        format!("-{QUIET_ZONE} -{QUIET_ZONE} {side} {side}")
    }
}

fn code(url: &str) -> Option<Code> {
    let code = QrCode::with_error_correction_level(url, EcLevel::M).ok()?;
    let side = code.width();
    let modules = code.to_colors();
    let mut path = String::new();
    for (y, row) in modules.chunks(side).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|left, right| left == right) {
            if run.first() == Some(&Color::Dark) {
                path += &format!("M{x} {y}h{0}v1h-{0}z", run.len());
            }
            x += run.len();
        }
    }
    Some(Code { side, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_has_its_three_corners() {
        let code = code("http://192.168.1.20:8000/").unwrap();
        let right = code.side - 7;
        for corner in
            ["M0 0h7v1h-7z".to_owned(), format!("M{right} 0h7v1h-7z"), format!("M0 {right}h7v1h-7z")]
        {
            assert!(code.path.contains(&corner), "{corner} in {}", code.path);
        }
    }

    #[test]
    fn an_address_longer_than_a_code_can_hold_has_none() {
        assert!(code(&"x".repeat(5_000)).is_none());
    }
}
