// SPDX-License-Identifier: GPL-2.0

//! A member by both its numbers.

use pidspace_client::{GlobalNr, LocalNr, SpaceId, SpaceRef};
use serde::Serialize;

/// A member by both its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Translation {
    pub(crate) space: SpaceRef,
    pub(crate) id: SpaceId,
    pub(crate) local: LocalNr,
    pub(crate) global: GlobalNr,
    pub(crate) generation: u64,
}

/// The same for JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Labelled {
    space: String,
    id: u64,
    local: u32,
    global: u32,
    generation: u64,
}

impl Translation {
    /// `SPACE:NR@GEN local`
    pub(crate) fn local(&self) -> String {
        format!("{}:{}@{} local", self.space, self.local, self.generation)
    }

    /// `NR global`
    pub(crate) fn global(&self) -> String {
        format!("{} global", self.global)
    }

    /// The same for JSON.
    pub(crate) fn labelled(&self) -> Labelled {
        Labelled {
            space: self.space.to_string(),
            id: self.id.get(),
            local: self.local.get(),
            global: self.global.get(),
            generation: self.generation,
        }
    }
}
