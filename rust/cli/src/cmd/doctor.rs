// SPDX-License-Identifier: GPL-2.0

use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use pidspace_client::sys::{Device, Sys};
use pidspace_client::{
    Abi, Errno, Error as ClientError, Hook, Mode, Pidspace, Purpose, Result as ClientResult,
    ABI_LEVEL, HOOKS,
};

use super::hook::complaint;
use super::Io;
use crate::error::{Error, FAILED};
use crate::output::{Column, Listing, Row};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The exit status is 0 only when all is well.  This works without the module too.

Below the checks are the hooks into the kernel, unless columns are chosen.  Those of mode SCOPE are
armed with the first space of that mode.

Example:
  pidspace doctor
  pidspace doctor --json")]
pub(crate) struct Args {
    #[command(flatten)]
    listing: Listing<Check>,
}

const LOAD: &str = "load the module: modprobe pidspace";
const LOAD_MATCHING: &str = "load the module of this version";
const REPORT: &str = "read what dmesg says of pidspace and report it";

/// What was looked at, and what is to be done when it is not as it should be.
#[derive(Debug)]
pub(crate) struct Check {
    what: String,
    finding: String,
    advice: Option<String>,
}

impl Check {
    fn good(what: &str, finding: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            finding: finding.into(),
            advice: None,
        }
    }

    fn bad(what: &str, finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..Self::good(what, finding)
        }
    }
}

impl Row for Check {
    const KEY: &'static str = "checks";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("RESULT", "ok, or problem", |check| {
            let result = if check.advice.is_none() {
                "ok"
            } else {
                "problem"
            };
            Some(result.to_owned())
        }),
        Column::text("CHECK", "what was looked at", |check| {
            Some(check.what.clone())
        }),
        Column::text("FINDING", "what was found", |check| {
            Some(check.finding.clone())
        }),
        Column::text("ADVICE", "what to do", |check| check.advice.clone()),
    ];
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let (checks, hooks) = examine(Path::new(Device::PATH), sys);
    args.listing.print_both(&checks, &hooks, io.out)?;
    let healthy = checks.iter().all(|check| check.advice.is_none());
    Ok(if healthy { 0 } else { FAILED })
}

/// Examines one thing after the other, as far as each depends on those before.
fn examine<S: Sys>(device: &Path, sys: S) -> (Vec<Check>, Vec<Hook>) {
    let file = match check_file(device) {
        Ok(metadata) => metadata,
        Err(check) => return (vec![check], Vec::new()),
    };
    let mut checks = vec![
        Check::good("device", format!("{} is there", device.display())),
        check_permissions(device, &file),
    ];
    let mut hooks = Vec::new();
    match Pidspace::with_any_level(sys) {
        Ok(pidspace) => {
            match pidspace.hooks().collect::<ClientResult<_>>() {
                Ok(listed) => hooks = listed,
                // That it is older is said of its level.
                Err(error) if error.is_unsupported() => {}
                Err(error) => checks.push(Check::bad("hooks", error.to_string(), REPORT)),
            }
            checks.extend(check_module(pidspace.abi(), &hooks));
        }
        Err(error) => checks.push(Check::bad("module", error.to_string(), advice(&error))),
    }
    (checks, hooks)
}

fn advice(error: &ClientError) -> &'static str {
    match error {
        ClientError::NotLoaded { .. } => LOAD,
        ClientError::Permission { .. } => "do what is said of permissions",
        _ => LOAD_MATCHING,
    }
}

fn check_file(device: &Path) -> Result<Metadata, Check> {
    let path = device.display();
    let metadata = fs::metadata(device)
        .map_err(|error| Check::bad("device", format!("{path}: {error}"), LOAD))?;
    if metadata.file_type().is_char_device() {
        return Ok(metadata);
    }
    let advice = format!("remove {path} and load the module anew");
    Err(Check::bad("device", format!("{path} is no device"), advice))
}

fn check_permissions(device: &Path, file: &Metadata) -> Check {
    let mode = file.permissions().mode() & 0o777;
    let finding = format!("mode {mode:04o}");
    match mode & 0o666 {
        0o666 => Check::good("permissions", finding),
        _ => Check::bad(
            "permissions",
            format!("{finding} keeps users out"),
            format!(
                "install the udev rule of pidspace, or chmod 0666 {}",
                device.display()
            ),
        ),
    }
}

fn check_module(abi: &Abi, hooks: &[Hook]) -> Vec<Check> {
    let level = format!("module {}, this program {ABI_LEVEL}", abi.level);
    let mut checks = vec![match abi.level {
        level_found if level_found < ABI_LEVEL => Check::bad("abi level", level, LOAD_MATCHING),
        _ => Check::good("abi level", level),
    }];
    let purposes = HOOKS.iter();
    checks.extend(purposes.filter_map(|purpose| match purpose.at_load {
        true => Some(check_hook(purpose, abi)),
        false if abi.has(Mode::Scope) => Some(check_scope(purpose, abi, hooks)),
        false => None,
    }));
    checks.push(match abi.anomalies {
        0 => Check::good("anomalies", "none since the module was loaded"),
        count => Check::bad(
            "anomalies",
            format!("{count} since the module was loaded"),
            REPORT,
        ),
    });
    checks
}

fn check_hook(purpose: &Purpose, abi: &Abi) -> Check {
    let what = format!("hook {}", purpose.name);
    match abi.hooks & purpose.bit {
        0 => Check::bad(
            &what,
            format!("not in force, {}", purpose.loss),
            "unload the module, load it again, and read what dmesg says of pidspace",
        ),
        _ => Check::good(&what, "in force"),
    }
}

/// Checks the hooks that the first space in mode SCOPE puts in force.
fn check_scope(purpose: &Purpose, abi: &Abi, hooks: &[Hook]) -> Check {
    let what = format!("hook {}", purpose.name);
    let failed = |required| {
        let hooks = hooks.iter().filter(move |hook| hook.scope);
        hooks.filter(move |hook| hook.error.is_some() && hook.required == required)
    };
    let complaints = |required| {
        failed(required)
            .map(complaint)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let in_force = abi.hooks & purpose.bit != 0;
    match (in_force, complaints(true), complaints(false)) {
        (true, _, lost) if lost.is_empty() => Check::good(&what, "in force"),
        (true, _, lost) => Check::good(&what, format!("in force, but {lost}")),
        (false, fatal, _) if fatal.is_empty() => {
            Check::good(&what, "in force from the first space in mode SCOPE on")
        }
        (false, fatal, _) => {
            let advice = match failed(true).find_map(|hook| hook.error) {
                Some(Errno::EBUSY) => {
                    "unload what holds it, such as a live patch: /sys/kernel/tracing/\
                     enabled_functions may name it"
                }
                Some(Errno::EINVAL) => "use another kernel for mode SCOPE; the others work here",
                _ => "read what dmesg says of pidspace, and try again",
            };
            Check::bad(&what, format!("{fatal}, {}", purpose.loss), advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use pidspace_client::testing::Fake;
    use pidspace_client::{Call, Errno};

    use super::*;
    use crate::cmd::testing::pidspace;

    fn problems(device: &str, fake: &Fake) -> Vec<(String, String)> {
        let checks = examine(Path::new(device), fake.clone()).0.into_iter();
        checks
            .filter_map(|check| Some((check.what, check.advice?)))
            .collect()
    }

    #[test]
    fn nothing_is_wrong_with_a_healthy_module() {
        assert_eq!(problems("/dev/null", &Fake::default()), []);
    }

    #[test]
    fn without_a_device_nothing_else_is_looked_at() {
        for (device, advice) in [
            ("/dev/nonexistent", "modprobe"),
            ("/proc/self/exe", "remove"),
        ] {
            let found = problems(device, &Fake::default());
            assert_eq!((found.len(), found[0].0.as_str()), (1, "device"));
            assert!(found[0].1.contains(advice), "{found:?}");
        }
    }

    #[test]
    fn a_device_that_does_not_answer_is_a_problem() {
        for (call, errno, advice) in [
            (Call::OpenDevice, Errno::ENXIO, "modprobe"),
            (Call::OpenDevice, Errno::EACCES, "permissions"),
            (Call::Abi, Errno::ENOTTY, "of this version"),
        ] {
            let fake = Fake::default();
            fake.fail(call, errno);
            let found = problems("/dev/null", &fake);
            assert_eq!((found.len(), found[0].0.as_str()), (1, "module"));
            assert!(found[0].1.contains(advice), "{found:?}");
        }
    }

    #[test]
    fn each_shortcoming_of_the_module_is_named() {
        let fake = Fake::default();
        fake.change_abi(|abi| (abi.level, abi.hooks, abi.anomalies) = (0, 2, 3));
        let found = problems("/dev/null", &fake);
        let checks: Vec<_> = found.iter().map(|(what, _)| what.as_str()).collect();
        assert_eq!(
            checks,
            [
                "abi level",
                "hook fork",
                "hook newtask",
                "hook exiting",
                "hook exec",
                "anomalies"
            ]
        );
    }

    #[test]
    fn a_problem_shows_in_status_and_output() {
        let fake = Fake::default();
        fake.change_abi(|abi| abi.anomalies = 1);
        let doctor = pidspace(&fake, "doctor --json");
        assert_eq!(doctor.status.as_ref().unwrap(), &1);
        let checks = doctor.json()["checks"].clone();
        let last = checks.as_array().unwrap().last().unwrap();
        assert_eq!(last["result"], "problem");
        assert!(last["advice"].is_string());
    }

    #[test]
    fn hooks_are_listed_below_the_checks() {
        let fake = Fake::default();
        fake.hold("do_prlimit", Errno::EINVAL);
        assert_eq!(pidspace(&fake, "create web --scope").status.unwrap(), 0);
        let (_, hooks) = examine(Path::new("/dev/null"), fake.clone());
        let states = || hooks.iter().map(|hook| (hook.symbol.as_str(), hook.armed));
        assert!(states().any(|it| it == ("find_vpid", true)));
        assert!(states().any(|it| it == ("do_prlimit", false)));
        fake.fail(Call::Hooks, Errno::ENOTTY);
        assert_eq!(problems("/dev/null", &fake), []);
        fake.fail(Call::Hooks, Errno::ENOMEM);
        assert_eq!(problems("/dev/null", &fake)[0].0, "hooks");
    }

    /// What is found about mode SCOPE, and whether it is a problem.
    fn scope(fake: &Fake) -> (String, Option<String>) {
        let mut checks = examine(Path::new("/dev/null"), fake.clone()).0.into_iter();
        let check = checks.find(|check| check.what == "hook scope").unwrap();
        (check.finding, check.advice)
    }

    #[test]
    fn what_mode_scope_lacks_is_a_problem_if_it_is_required() {
        let fake = Fake::default();
        let later = "in force from the first space in mode SCOPE on";
        assert_eq!(scope(&fake), (later.to_owned(), None));
        for (errno, finding, advice) in [
            (Errno::EBUSY, "is held by another (EBUSY)", "live patch"),
            (
                Errno::EINVAL,
                "is missing or cannot be traced (EINVAL)",
                "another kernel",
            ),
            (Errno::ENOMEM, "cannot be hooked (ENOMEM)", "try again"),
        ] {
            fake.release();
            fake.hold("find_vpid", errno);
            let create = pidspace(&fake, "create web --scope");
            assert!(create.error().ends_with(&format!("({errno:?})")));
            let found = scope(&fake);
            let said = format!("find_vpid {finding}, there is no space in mode SCOPE");
            assert_eq!(found.0, said);
            assert!(found.1.unwrap().contains(advice));
        }
        fake.release();
        fake.hold("do_prlimit", Errno::EINVAL);
        assert_eq!(pidspace(&fake, "create web --scope").status.unwrap(), 0);
        let lost = "in force, but do_prlimit is missing or cannot be traced (EINVAL)";
        assert_eq!(scope(&fake), (lost.to_owned(), None));
        fake.change_abi(|abi| abi.modes = 1);
        let checks = examine(Path::new("/dev/null"), fake).0;
        assert!(checks.iter().all(|check| check.what != "hook scope"));
    }
}
