// SPDX-License-Identifier: GPL-2.0

//! A space as a row of a table.

use nix::unistd::{Uid, User};
use pidspace_client::{Info, Mode, Policies, State};

use crate::output::{Column, Row};

impl Row for Info {
    const KEY: &'static str = "spaces";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("NAME", "name, none for an unnamed space", |info| {
            info.name.as_ref().map(ToString::to_string)
        }),
        Column::number("ID", "id, never used again", |info| Some(info.id.get())),
        Column::text("OWNER", "user that made it", |info| Some(user(info.owner))),
        Column::text("MODE", "what it does to its members", |info| {
            Some(mode(info.mode))
        }),
        Column::text(
            "STATE",
            "live, or dying while it is being removed",
            |info| {
                Some(match info.state {
                    State::Live => "live".to_owned(),
                    State::Dying => "dying".to_owned(),
                    other => format!("{other:?}"),
                })
            },
        ),
        Column::number("NUMBERS", "local numbers in use", |info| {
            Some(info.numbers.into())
        }),
        Column::number("PID-MAX", "local numbers stay below this", |info| {
            Some(info.pid_max.into())
        }),
        Column::number("MAX-MEMBERS", "forks fail at this many numbers", |info| {
            info.max_members.map(Into::into)
        }),
        Column::text("POLICIES", "what it does of its own accord", |info| {
            policies(info.policies)
        }),
        Column::number("HANDLES", "open handles bound to it", |info| {
            Some(info.handles.into())
        }),
        Column::number(
            "SPAWNERS",
            "threads whose children are born in it",
            |info: &Self| Some(info.spawners.into()),
        )
        .on_request(),
        Column::number(
            "LAST-LOCAL-NR",
            "local number handed out last",
            |info: &Self| info.last_nr.map(|nr| nr.get().into()),
        )
        .on_request(),
        Column::number(
            "GENERATION",
            "local numbers handed out so far",
            |info: &Self| Some(info.generation),
        )
        .on_request(),
        Column::number("UID", "user id of the owner", |info: &Self| {
            Some(info.owner.into())
        })
        .on_request(),
    ];
}

/// The name of a mode.
pub(crate) fn mode(mode: Mode) -> String {
    match mode {
        Mode::Track => "track".to_owned(),
        Mode::Scope => "scope".to_owned(),
        Mode::View => "view".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The policies by their names; those without one as a mask.
fn policies(policies: Policies) -> Option<String> {
    let unnamed = policies.with_init(false).with_no_reuse(false).bits();
    let names = [
        policies.init().then(|| "init".to_owned()),
        policies.no_reuse().then(|| "no-reuse".to_owned()),
        (unnamed != 0).then(|| format!("{unnamed:#x}")),
    ];
    let names: Vec<_> = names.into_iter().flatten().collect();
    (!names.is_empty()).then(|| names.join(","))
}

/// The name of a user, or else its id.
fn user(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}
