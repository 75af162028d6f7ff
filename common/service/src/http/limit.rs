//! How many connections a process may have open: what its memory and its open
//! files allow.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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

/// Where the kernel's limits of memory are, if the system has control groups.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// How many connections this process may have open.
pub(super) fn connections_max() -> usize {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let by_memory = memory_limit(Path::new(CONTROL_GROUPS), &groups).map(|bytes| {
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

/// The smallest limit of memory of these control groups and of all that they are
/// in. `groups` is what /proc/self/cgroup says. In a container, the path there may
/// be that of the host, and only the mounted root is the container's own.
fn memory_limit(root: &Path, groups: &str) -> Option<u64> {
    let files = groups.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let (folder, file) = match controllers {
            // Version 2 has one tree for all controllers.
            "" => (root.to_owned(), "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => return None,
        };
        Some((folder, path.trim_start_matches('/').to_owned(), file))
    });
    let limits = files.flat_map(|(folder, path, file)| {
        let ancestors: Vec<PathBuf> =
            Path::new(&path).ancestors().map(|ancestor| folder.join(ancestor).join(file)).collect();
        // Without a limit, version 2 says "max", and version 1 a number beyond all memory.
        ancestors.into_iter().filter_map(|limit| fs::read_to_string(limit).ok()?.trim().parse().ok())
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_of_a_control_group_and_its_parents_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, limit: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, limit).unwrap();
        };
        assert_eq!(memory_limit(root.path(), "0::/a/b\n"), None);
        write("memory.max", "max\n");
        write("a/memory.max", "1000\n");
        write("a/b/memory.max", "max\n");
        assert_eq!(memory_limit(root.path(), "0::/a/b\n"), Some(1000));
        // Version 1, in a container that sees only its own group.
        write("memory/memory.limit_in_bytes", "134217728\n");
        let version_1 = "9:name=systemd:/docker/1\n4:cpu,memory:/docker/1\n";
        assert_eq!(memory_limit(root.path(), version_1), Some(134_217_728));
    }
}
