//! Locks of what many voters or viewers share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Nothing panics while it holds a lock, and if it did, a number would be off by one.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was shared, once it no longer is.
pub(crate) fn unlocked<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
