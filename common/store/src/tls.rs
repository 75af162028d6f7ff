//! The authority that signed the stores' certificates.

use std::env::var_os;
use std::path::PathBuf;

/// The environment variable in which most programs that use TLS look for the
/// authorities that they trust.
pub(crate) const CA_FILE: &str = "SSL_CERT_FILE";

/// The file that the variable names, if it is set.
pub(crate) fn ca_file() -> Option<PathBuf> {
    var_os(CA_FILE).filter(|path| !path.is_empty()).map(PathBuf::from)
}
