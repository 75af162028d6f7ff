//! Locks for what many voters or viewers share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock. Nothing panics while it holds one. If something did, a number would be off by one.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes out what was shared, once nobody shares it any more.
pub(crate) fn unlocked<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
