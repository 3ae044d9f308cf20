// SPDX-License-Identifier: GPL-2.0

use std::collections::BTreeMap;

use pidspace_client::sys::Sys;
use pidspace_client::{Pidspace, SpaceRef};

use super::translation::Translation;
use super::Io;
use crate::error::{Error, FAILED};
use crate::output::print_json;
use crate::target::Number;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A plain number is a global one.  The local one is printed with its generation, SPACE:NR@GEN, which
other commands take too: it is no other process, even when the number is used again.  Numbers that
do not translate are said on standard error, and the exit status is 1.

Example:
  pidspace pid web:2
  pidspace pid 1234 1235 --json")]
pub(crate) struct Args {
    /// What to translate: SPACE:NR, or a global number
    #[arg(required = true, value_name = "SPACE:NR[@GEN]|GLOBAL-NR")]
    numbers: Vec<Number>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let pidspace = Pidspace::with(sys)?;
    let (mut found, mut status) = (Vec::new(), 0);
    for number in &args.numbers {
        match translate(&pidspace, number) {
            Ok(translation) if args.json => found.push(translation.labelled()),
            Ok(translation) => writeln!(io.out, "{}", sentence(number, &translation))?,
            Err(error) if args.numbers.len() == 1 => return Err(error),
            Err(error) => {
                io.complain(&error);
                status = FAILED;
            }
        }
    }
    if args.json {
        print_json(&BTreeMap::from([("pids", found)]), io.out)?;
    }
    Ok(status)
}

fn translate<S: Sys>(pidspace: &Pidspace<S>, number: &Number) -> Result<Translation, Error> {
    match number {
        Number::Local(local) => {
            let space = pidspace.open(&local.space);
            let found = space
                .map_err(Error::about(&local.space))?
                .to_global(local.nr)
                .map_err(Error::about(local))?;
            local.check(found.generation)?;
            Ok(Translation {
                space: local.space.clone(),
                id: found.space,
                local: local.nr,
                global: found.nr,
                generation: found.generation,
            })
        }
        Number::Global(global) => {
            let found = pidspace
                .find(*global)
                .map_err(Error::about(&format!("{global} global")))?;
            // The caller itself may be in a space that is not the caller's to list.
            let info = pidspace.space(found.space)?;
            let space = info.map_or(SpaceRef::Id(found.space), |info| info.space_ref());
            Ok(Translation {
                space,
                id: found.space,
                local: found.nr,
                global: *global,
                generation: found.generation,
            })
        }
    }
}

/// The question, and after the `=` the answer.
fn sentence(question: &Number, translation: &Translation) -> String {
    let (local, global) = (translation.local(), translation.global());
    match question {
        Number::Local(..) => format!("{local} = {global}"),
        Number::Global(..) => format!("{global} = {local}"),
    }
}

#[cfg(test)]
mod tests {
    use pidspace_client::testing::Fake;
    use serde_json::json;

    use crate::cmd::testing::pidspace;

    fn web() -> Fake {
        let fake = Fake::default();
        let web = fake.add_space("web");
        let unnamed = fake.add_space("");
        fake.add_member(web, 5000, |_| ());
        fake.add_member(web, 5001, |_| ());
        fake.add_member(unnamed, 6000, |_| ());
        fake
    }

    #[test]
    fn both_numbers_are_labelled() {
        let pid = pidspace(&web(), "pid web:2 5000 6000");
        assert_eq!(pid.status.unwrap(), 0);
        assert_eq!(
            pid.out,
            "web:2@2 local = 5001 global\n\
             5000 global = web:1@1 local\n\
             6000 global = @2:1@1 local\n"
        );
    }

    #[test]
    fn json_names_them_alike_in_both_directions() {
        let json = pidspace(&web(), "pid --json web:2 5001").json();
        let both = json!({
            "space": "web", "id": 1, "local": 2, "global": 5001, "generation": 2,
        });
        assert_eq!(json, json!({ "pids": [both, both] }));
    }

    #[test]
    fn what_does_not_translate_is_said_and_the_rest_goes_on() {
        let pid = pidspace(&web(), "pid web:9 5001 nope:1");
        assert_eq!(pid.status.unwrap(), 1);
        assert_eq!(pid.out, "5001 global = web:2@2 local\n");
        let lines: Vec<_> = pid.err.lines().collect();
        assert!(
            lines[0].starts_with("pidspace: web:9 local: cannot translate"),
            "{lines:?}"
        );
        assert!(
            lines[1].starts_with("pidspace: nope: cannot open"),
            "{lines:?}"
        );
    }

    #[test]
    fn what_is_printed_can_be_asked_and_a_later_process_is_not_meant() {
        let fake = web();
        assert_eq!(pidspace(&fake, "pid web:2@2").status.unwrap(), 0);
        let sentence = "number 2 of 'web' is another process by now";
        assert_eq!(pidspace(&fake, "pid web:2@1").error(), sentence);
    }

    #[test]
    fn a_single_failure_is_the_error() {
        let error = pidspace(&web(), "pid 7000").error();
        assert!(
            error.starts_with("7000 global: cannot translate"),
            "{error}"
        );
        assert!(error.contains("no such member"), "{error}");
    }
}
