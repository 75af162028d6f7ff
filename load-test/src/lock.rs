//! Locks for what many viewers share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock. Nothing panics while it holds one. If something did, a number would be off by one.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
