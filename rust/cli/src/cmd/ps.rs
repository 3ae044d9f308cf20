// SPDX-License-Identifier: GPL-2.0

use std::fmt;

use pidspace_client::sys::{Handle, Sys};
use pidspace_client::{LocalNr, Member, Mode, Pidspace, Result as ClientResult, Space, SpaceRef};
use serde::Serialize;

use super::{space, Io};
use crate::error::Error;
use crate::output::{Column, Listing, Row};
use crate::task::{self, Task};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A '-' stands for a number that is not a member's, and for what a number without a task has not:
that of a child being born, or of a process group or session whose leader is gone.

The first line tells the mode of the space, where headings are printed and no columns chosen.

The column TARGET is what kill, pid and wait take: the number and its generation.

Example:
  pidspace ps web
  pidspace ps web --threads
  pidspace ps web --noheadings -o local-nr,command")]
pub(crate) struct Args {
    /// The space, NAME or @ID
    space: SpaceRef,
    /// List threads, not only processes
    #[arg(short = 'T', long)]
    threads: bool,
    #[command(flatten)]
    listing: Listing<Number>,
}

/// A number in use and the task behind it.
#[derive(Debug)]
pub(crate) struct Number {
    space: SpaceRef,
    member: Member,
    task: Option<Task>,
}

fn local(nr: Option<LocalNr>) -> Option<u64> {
    nr.map(|nr| nr.get().into())
}

impl Row for Number {
    const KEY: &'static str = "numbers";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::number("LOCAL-NR", "local number", |number| {
            local(Some(number.member.nr))
        }),
        Column::number("GLOBAL-NR", "global number", |number| {
            number.member.global.map(|nr| nr.get().into())
        }),
        Column::number("LOCAL-PPID", "parent process, by local number", |number| {
            local(number.member.ppid)
        }),
        Column::number("LOCAL-PGID", "process group, by local number", |number| {
            local(number.member.pgid)
        }),
        Column::number("LOCAL-SID", "session, by local number", |number| {
            local(number.member.sid)
        }),
        Column::text("STATE", "state as in ps(1), Z for a zombie", Self::state),
        Column::seconds("TIME", "processor time used", |number| {
            number.task.as_ref().map(|task| task.seconds)
        }),
        Column::text(
            "COMMAND",
            "command line, or in brackets the name",
            |number| number.task.as_ref().map(|task| task.command.clone()),
        ),
        Column::number("LOCAL-TGID", "process, by local number", |number: &Self| {
            local(number.member.tgid)
        })
        .on_request(),
        Column::number(
            "GENERATION",
            "identifies this use of the number",
            |number: &Self| Some(number.member.generation),
        )
        .on_request(),
        Column::text("TARGET", "SPACE:NR@GEN, for other commands", |it: &Self| {
            let (nr, generation) = (it.member.nr, it.member.generation);
            Some(format!("{}:{nr}@{generation}", it.space))
        })
        .on_request(),
    ];
}

impl Number {
    fn read(space: SpaceRef, member: Member, threads: bool) -> Self {
        let task = match (member.global_tgid, member.global) {
            _ if member.no_task => None,
            (Some(tgid), Some(tid)) if threads && !member.leader => task::thread(tgid, tid).ok(),
            (Some(tgid), _) => task::process(tgid).ok(),
            _ => None,
        };
        Self {
            space,
            member,
            task,
        }
    }

    fn state(&self) -> Option<String> {
        let task = self.task.as_ref();
        match self.member.zombie {
            true => Some("Z".to_owned()),
            false => task.map(|task| task.state.to_string()),
        }
    }
}

/// What the numbers have in common.
#[derive(Debug, Serialize)]
struct Title {
    space: String,
    mode: String,
}

impl Title {
    fn new(space: &SpaceRef, mode: Mode) -> Self {
        Self {
            space: space.to_string(),
            mode: space::mode(mode),
        }
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: mode {}", self.space, self.mode)
    }
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let about = Error::about(&args.space);
    let space = Pidspace::with(sys)?.open(&args.space).map_err(&about)?;
    let mode = space.info().map_err(&about)?.mode;
    let numbers = numbers(&space, &args.space, args.threads).map_err(&about)?;
    let title = Title::new(&args.space, mode);
    args.listing.print_titled(&title, &numbers, io.out)?;
    Ok(0)
}

fn numbers<H: Handle>(
    space: &Space<H>,
    name: &SpaceRef,
    threads: bool,
) -> ClientResult<Vec<Number>> {
    let members: Vec<Member> = space.members().collect::<ClientResult<_>>()?;
    let mut numbers: Vec<_> = members
        .into_iter()
        .filter(|member| threads || member.leader || member.no_task)
        .map(|member| Number::read(name.clone(), member, threads))
        .collect();
    forget_strangers(space, &mut numbers)?;
    Ok(numbers)
}

/// Forgets what /proc told of members that are gone since they were listed, for a stranger may
/// have got the global number by then.
fn forget_strangers<H: Handle>(space: &Space<H>, numbers: &mut [Number]) -> ClientResult<()> {
    let nrs: Vec<_> = numbers.iter().map(|number| number.member.nr).collect();
    for (number, found) in numbers.iter_mut().zip(space.to_global_all(&nrs)?) {
        if found.map(|found| found.generation) != Some(number.member.generation) {
            number.task = None;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pidspace_client::testing::Fake;
    use serde_json::json;

    use super::*;
    use crate::cmd::testing::pidspace;

    const ZOMBIE: u32 = 1 | 2;
    const NO_TASK: u32 = 4;

    /// A space whose only living process is this one, with a second thread.
    fn web() -> Fake {
        let fake = Fake::default();
        let id = fake.add_space("web");
        fake.add_member(id, std::process::id(), |_| ());
        fake.add_member(id, i32::MAX.unsigned_abs(), |member| {
            member.flags = ZOMBIE;
            (member.ppid, member.pgid) = (1, 1);
        });
        fake.add_member(id, std::process::id(), |member| {
            member.flags = 0;
            (member.tgid, member.pgid, member.sid) = (1, 1, 1);
        });
        fake.add_member(id, 0, |member| {
            member.flags = NO_TASK;
            (member.tgid, member.pgid, member.sid) = (0, 0, 0);
        });
        fake
    }

    #[test]
    fn processes_zombies_and_bare_numbers_are_told_apart() {
        let fake = web();
        let ps = pidspace(
            &fake,
            "ps web -o local-nr,local-ppid,local-pgid,local-sid,state",
        );
        let lines: Vec<_> = ps.out.lines().collect();
        assert_eq!(lines[0], "LOCAL-NR LOCAL-PPID LOCAL-PGID LOCAL-SID STATE");
        let words = |line: &str| {
            line.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(lines[1])[..4], ["1", "-", "1", "1"]);
        assert_ne!(words(lines[1])[4], "-");
        assert_eq!(words(lines[2]), ["2", "1", "1", "2", "Z"]);
        assert_eq!(words(lines[3]), ["4", "-", "-", "-", "-"]);
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn threads_are_listed_on_request() {
        let ps = pidspace(&web(), "ps @1 -T -n -o local-nr,local-tgid,command");
        let lines: Vec<_> = ps.out.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[2].trim_start().starts_with("3          1 [") || lines[2].contains("3 1 ["));
    }

    #[test]
    fn the_mode_stands_above_the_headings() {
        let fake = web();
        let headed = |ps: &str| ps.starts_with("web: mode track\nLOCAL-NR ");
        assert!(headed(&pidspace(&fake, "ps web").out));
        for line in ["ps web -n", "ps web -o local-nr"] {
            let ps = pidspace(&fake, line);
            assert!(!ps.out.contains("mode"), "{line}: {}", ps.out);
        }
        assert_eq!(pidspace(&fake, "set web --scope").status.unwrap(), 0);
        assert!(pidspace(&fake, "ps web")
            .out
            .starts_with("web: mode scope\n"));
        let json = pidspace(&fake, "ps @1 --json -o local-nr").json();
        assert_eq!(
            (&json["space"], &json["mode"]),
            (&json!("@1"), &json!("scope"))
        );
        assert_eq!(json["numbers"][0], json!({ "local_nr": 1 }));
    }

    #[test]
    fn a_target_is_what_other_commands_take() {
        let fake = web();
        let ps = pidspace(&fake, "ps web -n -o target");
        assert_eq!(ps.out, "web:1@1\nweb:2@2\nweb:4@4\n");
        assert_eq!(pidspace(&fake, "pid web:2@2").status.unwrap(), 0);
        let ps = pidspace(&fake, "ps @1 -n -o target");
        assert!(ps.out.starts_with("@1:1@1\n"), "{}", ps.out);
    }

    #[test]
    fn json_has_null_for_what_is_not() {
        let json = pidspace(&web(), "ps web --json").json();
        let this = &json["numbers"][0];
        assert_eq!(this["global_nr"], json!(std::process::id()));
        assert!(this["time"].is_u64() && this["command"].is_string());
        let bare = json!({
            "local_nr": 4, "global_nr": null, "local_ppid": null, "local_pgid": null,
            "local_sid": null, "state": null, "time": null, "command": null,
        });
        assert_eq!(json["numbers"][2], bare);
    }

    #[test]
    fn a_number_that_was_reused_has_no_task() {
        let fake = web();
        let name = "web".parse().unwrap();
        let space = Pidspace::with(fake.clone()).unwrap().open(&name).unwrap();
        let mut numbers = numbers(&space, &name, false).unwrap();
        numbers[0].member.generation += 1;
        forget_strangers(&space, &mut numbers).unwrap();
        assert_eq!(numbers[0].task, None);
    }
}
