//! Where files go, and one that is on its way there: the same for folders and object stores.

use super::{folder, store};
use crate::TargetError;
use edgeway_site::ObjectStore as StoreSite;

/// Where files go.
pub(super) enum Place {
    Folder(folder::Folder),
    Store(store::Store),
}

/// A file that is not there yet.
pub(super) enum Output {
    Folder(folder::Draft),
    Store(store::Draft),
}

impl Place {
    /// Sees whether this gateway may write there, and tidies up what a crash has left.
    pub(super) async fn open(route: &str, site: &StoreSite) -> Result<Place, TargetError> {
        match site {
            StoreSite::Folder(path) => folder::Folder::open(route, path).await.map(Place::Folder),
            StoreSite::S3 { .. } => store::Store::open(route, site).await.map(Place::Store),
        }
    }

    /// Begins a file.
    pub(super) async fn create(&self, folder: &str, name: &str) -> Result<Output, TargetError> {
        match self {
            Place::Folder(place) => place.create(folder, name).await.map(Output::Folder),
            Place::Store(place) => place.create(folder, name).map(Output::Store),
        }
    }
}

impl Output {
    /// Adds bytes.
    pub(super) async fn put(&mut self, bytes: Vec<u8>) -> Result<(), TargetError> {
        match self {
            Output::Folder(draft) => draft.put(bytes).await,
            Output::Store(draft) => draft.put(bytes).await,
        }
    }

    /// Bytes that are still in memory.
    pub(super) fn held_bytes(&self) -> usize {
        match self {
            Output::Folder(_) => 0,
            Output::Store(draft) => draft.held_bytes(),
        }
    }

    /// Makes it a file that is there, in place of one of the same name, and that stays there.
    pub(super) async fn complete(self) -> Result<(), TargetError> {
        match self {
            Output::Folder(draft) => draft.complete().await,
            Output::Store(draft) => draft.complete().await,
        }
    }

    /// Leaves no trace of it. What cannot be removed now is removed at the next start.
    pub(super) async fn discard(self) {
        match self {
            Output::Folder(draft) => draft.discard().await,
            Output::Store(draft) => draft.discard().await,
        }
    }
}
