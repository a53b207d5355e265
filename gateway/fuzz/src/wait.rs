//! Waiting that ends.

use std::future::Future;
use std::time::Duration;

/// What the future gives; a panic if that takes ten seconds.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let limited = async { tokio::time::timeout(Duration::from_secs(10), future).await };
    runtime.block_on(limited).expect("it ends within ten seconds")
}
