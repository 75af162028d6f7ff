//! What a program sees of its machine: its wall clock, and its disk. See `machine.c`.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use harness::{Replica, client, eventually};
use tempfile::TempDir;

const HOUR: i64 = 3600;

/// Where the fields of the orders are, and their size.
const AHEAD_AT: u64 = 0;
const TOLD_AT: u64 = 8;
const DISK_AT: u64 = 16;
const SYNCED_SLOWLY_AT: u64 = 18;
const ORDERS_BYTES: u64 = 24;

/// How far from an hour a clock that was set may seem to be, because asking takes time.
const ASKING_TAKES: i64 = 60;

/// What comes between is compiled once. libfaketime could set the clock alone, and with it
/// `clock_nanosleep` fails while the monotonic clock is left as it is (0.9.10).
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

/// The machine, as one program sees it.
pub struct Machine {
    folder: TempDir,
    orders: File,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Orders {
    pub hours_ahead: i64,
    pub disk_is_full: bool,
    pub disk_is_slow: bool,
}

impl Machine {
    pub fn new() -> Self {
        let folder = TempDir::with_prefix("machine-").expect("a temporary folder");
        // PostgreSQL runs as a user of its own, who must read what is in there.
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

    /// What makes a program see it.
    pub fn env(&self) -> Vec<(&'static str, PathBuf)> {
        let path = |name| self.folder.path().join(name);
        vec![("LD_PRELOAD", path("machine.so")), ("MACHINE_ORDERS", path("orders"))]
    }

    /// In place, because the program has the file mapped.
    pub fn set(&self, orders: Orders) {
        let write = |bytes: &[u8], at| self.orders.write_all_at(bytes, at).expect("room for orders");
        write(&(orders.hours_ahead * HOUR).to_ne_bytes(), AHEAD_AT);
        write(&[u8::from(orders.disk_is_full), u8::from(orders.disk_is_slow)], DISK_AT);
    }

    /// Sets the clock, and waits until this replica was told that time: each answer asks for it.
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

    /// Whether the program ever met the slow disk.
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
