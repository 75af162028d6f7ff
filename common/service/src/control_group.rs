//! The limits that the kernel's control groups set for this process.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the kernel's limits of memory are, if the system has control groups.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// No machine has an exbibyte of memory.
const BEYOND_ALL_MEMORY: u64 = 1 << 60;

/// How many bytes of memory the control groups of this process allow, if they have a limit.
pub(crate) fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    smallest_limit(Path::new(CONTROL_GROUPS), &groups)
}

/// The smallest limit of memory of these control groups and of all that they are
/// in. `groups` is what /proc/self/cgroup says. In a container, the path there may
/// be that of the host, and only the mounted root is the container's own.
fn smallest_limit(root: &Path, groups: &str) -> Option<u64> {
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
        ancestors.into_iter().filter_map(|limit| fs::read_to_string(limit).ok()?.trim().parse().ok())
    });
    // Without a limit, version 2 says "max", and version 1 a number beyond all memory.
    limits.min().filter(|limit| *limit < BEYOND_ALL_MEMORY)
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
        assert_eq!(smallest_limit(root.path(), "0::/a/b\n"), None);
        write("memory.max", "max\n");
        write("a/memory.max", "1000\n");
        write("a/b/memory.max", "max\n");
        assert_eq!(smallest_limit(root.path(), "0::/a/b\n"), Some(1000));
        // Version 1 without a limit, and then in a container that sees only its own group.
        let version_1 = "9:name=systemd:/docker/1\n4:cpu,memory:/docker/1\n";
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(smallest_limit(root.path(), version_1), None);
        write("memory/memory.limit_in_bytes", "134217728\n");
        assert_eq!(smallest_limit(root.path(), version_1), Some(134_217_728));
    }
}
