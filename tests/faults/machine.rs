//! Gives a program a wrong wall clock, or a full or slow disk. See `machine.c`.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use harness::{Replica, client, eventually};
use tempfile::TempDir;

const HOUR: i64 = 3600;

/// The offsets of the fields in the file of orders, and the size of the file.
const AHEAD_AT: u64 = 0;
const TOLD_AT: u64 = 8;
const DISK_AT: u64 = 16;
const SYNCED_SLOWLY_AT: u64 = 18;
const ORDERS_BYTES: u64 = 24;

/// A clock that was set may seem wrong by this many seconds, because reading it takes time.
const ASKING_TAKES: i64 = 60;

/// The library that is loaded into a program, compiled once. libfaketime (0.9.10) does not suffice:
/// it sets only the clock, and `clock_nanosleep` fails if the monotonic clock stays as it is.
static LIBRARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = TempDir::with_prefix("machine-").expect("a temporary folder");
    let (source, library) = (folder.path().join("machine.c"), folder.path().join("machine.so"));
    fs::write(&source, include_str!("machine.c")).expect("room for a source");
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).status();
    let compiled = compiled.expect("run ./test.sh, which installs a C compiler");
    assert!(compiled.success(), "machine.c does not compile");
    fs::read(library).expect("a library")
});

/// What one program sees as its clock and its disk.
pub struct Machine {
    folder: TempDir,
    orders: File,
}

/// What is wrong with the clock and the disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Orders {
    pub hours_ahead: i64,
    pub disk_is_full: bool,
    pub disk_is_slow: bool,
}

impl Machine {
    pub fn new() -> Self {
        let folder = TempDir::with_prefix("machine-").expect("a temporary folder");
        // PostgreSQL runs as another user, which must be able to read the folder.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("our folder");
        fs::write(folder.path().join("machine.so"), &*LIBRARY).expect("room for a library");
        let orders = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(folder.path().join("orders"))
            .expect("room for orders");
        orders.set_permissions(Permissions::from_mode(0o666)).expect("our file");
        orders.set_len(ORDERS_BYTES).expect("room for orders");
        let machine = Self { folder, orders };
        machine.set(Orders::default());
        machine
    }

    /// The environment variables that load the library into a program.
    pub fn env(&self) -> Vec<(&'static str, PathBuf)> {
        let path = |name| self.folder.path().join(name);
        vec![("LD_PRELOAD", path("machine.so")), ("MACHINE_ORDERS", path("orders"))]
    }

    /// Writes in place, because the program has mapped the file.
    pub fn set(&self, orders: Orders) {
        let write = |bytes: &[u8], at| self.orders.write_all_at(bytes, at).expect("room for orders");
        write(&(orders.hours_ahead * HOUR).to_ne_bytes(), AHEAD_AT);
        write(&[u8::from(orders.disk_is_full), u8::from(orders.disk_is_slow)], DISK_AT);
    }

    /// Sets the clock, and waits until this replica has read the new time, as it does for each answer.
    pub async fn shift(&self, hours_ahead: i64, replica: &Replica) {
        self.set(Orders { hours_ahead, ..Orders::default() });
        let url = format!("{}/livez", replica.management);
        eventually("a clock that was set", async || {
            client().get(&url).send().await.ok()?;
            let off_by = self.told() - now() - hours_ahead * HOUR;
            (off_by.abs() < ASKING_TAKES).then_some(())
        })
        .await;
    }

    /// Whether an fsync of the program was ever slow.
    pub fn synced_slowly(&self) -> bool {
        let [slowly] = self.read(SYNCED_SLOWLY_AT);
        slowly != 0
    }

    fn told(&self) -> i64 {
        i64::from_ne_bytes(self.read(TOLD_AT))
    }

    fn read<const N: usize>(&self, at: u64) -> [u8; N] {
        let mut bytes = [0; N];
        self.orders.read_exact_at(&mut bytes, at).expect("the orders");
        bytes
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs() as i64
}
