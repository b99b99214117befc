//! Locking state that sessions, streams and their observers share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; a panic elsewhere neither takes the others down nor hides what was counted.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
