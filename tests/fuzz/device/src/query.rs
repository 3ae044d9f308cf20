// SPDX-License-Identifier: GPL-2.0

//! The commands that only ask, with the arrays that they fill.

use crate::call::{Array, Call, Shape, Who};
use crate::runner::Runner;
use nix::errno::Errno;
use pidspace_uapi::*;
use std::os::fd::AsRawFd;

const COUNTS: [u32; 7] = [16, 1, 2, 0, 1024, 1025, u32::MAX];
const CURSORS: [u32; 5] = [0, 0, 1, 300, u32::MAX];

impl Runner {
    pub(crate) fn query(&mut self, call: Call) -> Result<(), Errno> {
        match call {
            Call::Lookup {
                slot,
                shape,
                op,
                who,
                nr,
            } => {
                let op = op.of(&[0, 1, 2, 3]);
                let from = self.question(op, who, nr);
                let nr = pidspace_nr {
                    from,
                    ..Default::default()
                };
                self.call(
                    slot,
                    shape,
                    &mut pidspace_lookup {
                        op,
                        nr,
                        ..Default::default()
                    },
                )
            }
            Call::LookupBatch { slot, op, array } => {
                let entry_size = size_of::<pidspace_nr>() as u32;
                let (entries, count, size) = self.array(array, entry_size);
                let op = op.of(&[0, 1, 2, 3]);
                let mut arg = pidspace_lookup {
                    op,
                    count,
                    entries,
                    ..Default::default()
                };
                let result = self.call(slot, Shape::Plain, &mut arg);
                self.arrays.check_array(entries, size);
                result
            }
            Call::Members {
                slot,
                shape,
                cursor,
                array,
            } => {
                let entry_size = entry_size(array, size_of::<pidspace_member>());
                let (entries, count, size) = self.array(array, entry_size);
                let cursor = cursor.of(&CURSORS);
                let mut arg = pidspace_members {
                    entries,
                    count,
                    entry_size,
                    cursor,
                    ..Default::default()
                };
                let result = self.call(slot, shape, &mut arg);
                self.arrays.check_array(entries, size);
                result
            }
            Call::List {
                slot,
                shape,
                cursor,
                array,
            } => {
                let entry_size = entry_size(array, size_of::<pidspace_info>());
                let (entries, count, size) = self.array(array, entry_size);
                let cursor = cursor.of(&CURSORS).into();
                let mut arg = pidspace_list {
                    entries,
                    count,
                    entry_size,
                    cursor,
                    ..Default::default()
                };
                let result = self.call(slot, shape, &mut arg);
                self.arrays.check_array(entries, size);
                result
            }
            Call::Hooks {
                slot,
                shape,
                cursor,
                array,
            } => {
                let entry_size = entry_size(array, size_of::<pidspace_hook_info>());
                let (entries, count, size) = self.array(array, entry_size);
                let cursor = cursor.of(&CURSORS);
                let mut arg = pidspace_hooks {
                    entries,
                    count,
                    entry_size,
                    cursor,
                    ..Default::default()
                };
                let result = self.call(slot, shape, &mut arg);
                self.arrays.check_array(entries, size);
                result
            }
            _ => Ok(()),
        }
    }

    /// Returns the address, the count and the size of an array for a command to fill.
    fn array(&mut self, array: Array, entry_size: u32) -> (u64, u32, usize) {
        let count = array.count.of(&COUNTS);
        let answered = count.min(PIDSPACE_BATCH_MAX) as usize;
        let size = answered.saturating_mul(entry_size as usize);
        (self.arrays.array(size, array.shape), count, size)
    }

    fn question(&self, op: u32, who: Who, nr: i8) -> i32 {
        match op {
            PIDSPACE_LOOKUP_FROM_SPACE => nr.into(),
            PIDSPACE_LOOKUP_PIDFD => self.pidfd.as_ref().map_or(nr.into(), AsRawFd::as_raw_fd),
            _ => self.number(who),
        }
    }
}

fn entry_size(array: Array, known: usize) -> u32 {
    let known = known as u32;
    array
        .entry_size
        .of(&[known, known, known - 8, known - 4, known + 8, 4096, 4097])
}
