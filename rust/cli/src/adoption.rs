// SPDX-License-Identifier: GPL-2.0

//! Taking processes in, one by one or until nobody of a set is left outside.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, OwnedFd};

use pidspace_client::sys::Handle;
use pidspace_client::{Errno, Error as ClientError, GlobalNr, Space, Target};

use crate::error::Error;
use crate::pidfd;
use crate::processes::Source;

/// How many processes are held at a time; more may be too many open files.
const CHUNK: usize = 128;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// The processes that were asked for and taken in, without those of their trees.
    pub(crate) adopted: Vec<GlobalNr>,
    /// Processes taken in.
    pub(crate) processes: u64,
    /// Numbers taken in, those of threads included.
    pub(crate) numbers: u64,
    /// The processes that stay outside, and why.
    pub(crate) failed: BTreeMap<GlobalNr, Error>,
}

impl Tally {
    /// Takes a process in and counts it.
    fn adopt<H: Handle>(
        &mut self,
        space: &Space<H>,
        (nr, pidfd): (GlobalNr, &OwnedFd),
        tree: bool,
    ) -> Result<(), ClientError> {
        let adopted = space.adopt(Target::Pidfd(pidfd.as_fd()), tree)?;
        self.adopted.push(nr);
        self.processes += u64::from(adopted.processes);
        self.numbers += u64::from(adopted.numbers);
        Ok(())
    }
}

/// Adopts the processes with these numbers, each with its tree or alone.
pub(crate) fn adopt_each<H: Handle>(space: &Space<H>, nrs: &[GlobalNr], tree: bool) -> Tally {
    let mut tally = Tally::default();
    for chunk in nrs.chunks(CHUNK) {
        let held: Vec<_> = chunk.iter().map(|nr| pidfd::open_present(*nr)).collect();
        for (nr, pidfd) in chunk.iter().zip(held) {
            let done = pidfd.and_then(|pidfd| {
                let adopted = tally.adopt(space, (*nr, &pidfd), tree);
                adopted.map_err(pidfd::about(*nr))
            });
            if let Err(error) = done {
                tally.failed.insert(*nr, error);
            }
        }
    }
    tally
}

/// Adopts the processes of a set, those that they start meanwhile too, until nobody is left
/// outside but who cannot be taken in, and this process.
pub(crate) fn adopt_all<H: Handle>(space: &Space<H>, source: &Source) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    let mut listed = source.list()?;
    if listed.is_empty() {
        return Err(Error::Nobody(source.to_string()));
    }
    let mut before = BTreeSet::new();
    loop {
        let outside = outsiders(space, listed)?;
        tally.failed.clear();
        for chunk in outside.chunks(CHUNK) {
            adopt_chunk(space, source, chunk, &mut tally)?;
        }
        let fresh: BTreeSet<_> = outside
            .into_iter()
            .filter(|nr| !tally.failed.contains_key(nr))
            .collect();
        if fresh.is_empty() || fresh == before {
            return Ok(tally);
        }
        before = fresh;
        listed = source.list_again()?;
    }
}

/// Those that are not in the space, without this process, which could adopt nobody any more.
fn outsiders<H: Handle>(
    space: &Space<H>,
    listed: BTreeSet<GlobalNr>,
) -> Result<Vec<GlobalNr>, Error> {
    let listed: Vec<_> = listed.into_iter().collect();
    let found = space.to_local_all(&listed)?;
    let outside = listed.into_iter().zip(found);
    let own = std::process::id();
    Ok(outside
        .filter(|(nr, found)| found.is_none() && nr.get() != own)
        .map(|(nr, _)| nr)
        .collect())
}

/// Adopts those that are still there and still of the set.
fn adopt_chunk<H: Handle>(
    space: &Space<H>,
    source: &Source,
    chunk: &[GlobalNr],
    tally: &mut Tally,
) -> Result<(), Error> {
    let mut held = Vec::new();
    for nr in chunk {
        match pidfd::open(*nr) {
            Ok(pidfd) => held.extend(pidfd.map(|pidfd| (*nr, pidfd))),
            Err(error) => drop(tally.failed.insert(*nr, error)),
        }
    }
    // A process that lives on after this had its number all the time.
    let still = source.list_again()?;
    for (nr, pidfd) in held {
        if still.contains(&nr) && !pidfd::has_ended(&pidfd) {
            adopt_one(space, nr, &pidfd, tally)?;
        }
    }
    Ok(())
}

/// Adopts a process, unless it has just ended or been born in the space.
fn adopt_one<H: Handle>(
    space: &Space<H>,
    nr: GlobalNr,
    pidfd: &OwnedFd,
    tally: &mut Tally,
) -> Result<(), Error> {
    let Err(error) = tally.adopt(space, (nr, pidfd), false) else {
        return Ok(());
    };
    let about = pidfd::about(nr);
    if error.errno() == Some(Errno::ESTALE) || error.is_unsupported() {
        return Err(about(error));
    }
    if !pidfd::has_ended(pidfd) && space.pidfd_to_local(pidfd.as_fd()).is_err() {
        tally.failed.insert(nr, about(error));
    }
    Ok(())
}
