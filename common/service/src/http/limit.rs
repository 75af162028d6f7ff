//! How many connections a process may have open: what its memory and its open
//! files allow.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::control_group::memory_limit;

/// The bound if neither memory nor files are limited: more than a process ever needs.
const CONNECTIONS_MAX: u64 = 20_000;

/// A small service still serves this many, whatever its limits are.
const CONNECTIONS_MIN: u64 = 64;

/// The memory of the most expensive connection: one that was answered, and now sends the
/// largest headers slowly. They take 16 KiB to read, 8 KiB to write, and the rest is for
/// the task and the kernel's socket.
const BYTES_EACH: u64 = 36 * 1024;

/// Connections may take this share of the memory. The rest is for everything else.
const MEMORY_SHARE: (u64, u64) = (3, 4);

/// The socket, and a second handle to it (see [`super::Client`]).
const FILES_EACH: u64 = 2;

/// The files and sockets that a service has open without any client. It has about a dozen.
const FILES_RESERVED: u64 = 64;

/// How many connections this process may have open.
pub(super) fn connections_max() -> usize {
    let by_memory = memory_limit().map(|bytes| {
        let (part, whole) = MEMORY_SHARE;
        bytes / whole * part / BYTES_EACH
    });
    let by_files = raise_file_limit().map(|files| files.saturating_sub(FILES_RESERVED) / FILES_EACH);
    let allowed = by_memory.into_iter().chain(by_files).fold(CONNECTIONS_MAX, u64::min);
    tracing::debug!("at most {allowed} connections: memory {by_memory:?}, files {by_files:?}");
    allowed.max(CONNECTIONS_MIN) as usize
}

/// Raises the limit of open files to what the system allows, because a container
/// may start with a thousand. Returns the new limit, if there is one.
fn raise_file_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::debug!("cannot open more than {:?} files: {error}", limit.current);
            limit.current
        }
    }
}
