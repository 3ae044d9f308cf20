// SPDX-License-Identifier: GPL-2.0

use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use pidspace_client::sys::{Device, Sys};
use pidspace_client::{Abi, Error as ClientError, Pidspace, ABI_LEVEL, HOOKS};

use super::Io;
use crate::error::{Error, FAILED};
use crate::output::{Column, Listing, Row};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The exit status is 0 only when all is well.  This works without the module too.

Example:
  pidspace doctor
  pidspace doctor --json")]
pub(crate) struct Args {
    #[command(flatten)]
    listing: Listing<Check>,
}

const LOAD: &str = "load the module: modprobe pidspace";
const LOAD_MATCHING: &str = "load the module of this version";

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
    let checks = examine(Path::new(Device::PATH), sys);
    args.listing.print(&checks, io.out)?;
    let healthy = checks.iter().all(|check| check.advice.is_none());
    Ok(if healthy { 0 } else { FAILED })
}

/// Examines one thing after the other, as far as each depends on those before.
fn examine<S: Sys>(device: &Path, sys: S) -> Vec<Check> {
    let file = match check_file(device) {
        Ok(metadata) => metadata,
        Err(check) => return vec![check],
    };
    let mut checks = vec![
        Check::good("device", format!("{} is there", device.display())),
        check_permissions(device, &file),
    ];
    match Pidspace::with_any_level(sys) {
        Ok(pidspace) => checks.extend(check_module(pidspace.abi())),
        Err(error) => checks.push(Check::bad("module", error.to_string(), advice(&error))),
    }
    checks
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

fn check_module(abi: &Abi) -> Vec<Check> {
    let level = format!("module {}, this program {ABI_LEVEL}", abi.level);
    let mut checks = vec![match abi.level {
        level_found if level_found < ABI_LEVEL => Check::bad("abi level", level, LOAD_MATCHING),
        _ => Check::good("abi level", level),
    }];
    checks.extend(HOOKS.iter().map(|(bit, name, loss)| {
        let what = format!("hook {name}");
        match abi.hooks & bit {
            0 => Check::bad(
                &what,
                format!("not in force, {loss}"),
                "unload the module, load it again, and read what dmesg says of pidspace",
            ),
            _ => Check::good(&what, "in force"),
        }
    }));
    checks.push(match abi.anomalies {
        0 => Check::good("anomalies", "none since the module was loaded"),
        count => Check::bad(
            "anomalies",
            format!("{count} since the module was loaded"),
            "read what dmesg says of pidspace and report it",
        ),
    });
    checks
}

#[cfg(test)]
mod tests {
    use pidspace_client::testing::Fake;
    use pidspace_client::{Call, Errno};

    use super::*;
    use crate::cmd::testing::pidspace;

    fn problems(device: &str, fake: &Fake) -> Vec<(String, String)> {
        let checks = examine(Path::new(device), fake.clone()).into_iter();
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
}
