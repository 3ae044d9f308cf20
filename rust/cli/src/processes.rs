// SPDX-License-Identifier: GPL-2.0

//! Sets of processes that somebody else keeps: cgroups, sessions and systemd's units.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::libc;
use pidspace_client::GlobalNr;
use procfs::process::{all_processes, Process};

use crate::error::Error;
use crate::launch;

/// Where processes are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A cgroup and the cgroups below it.
    Cgroup(PathBuf),
    /// A session.
    Session(GlobalNr),
}

impl Source {
    /// The cgroup of a unit, as `systemctl` tells it.
    pub(crate) fn unit(systemctl: &OsStr, unit: &OsStr) -> Result<Self, Error> {
        let failed = |why: String| Error::Unit {
            unit: unit.to_string_lossy().into_owned(),
            why,
        };
        let told = ask(systemctl, unit).map_err(|error| {
            failed(match error.kind() {
                ErrorKind::NotFound => "there is no systemctl here, try --cgroup".into(),
                _ => format!("cannot run systemctl: {error}"),
            })
        })?;
        let (out, err) = (text(&told.stdout), text(&told.stderr));
        if !told.status.success() {
            return Err(failed(format!("systemctl failed: {err}")));
        }
        let Some(path) = out.strip_prefix('/') else {
            return Err(failed("there is no such unit, or it does not run".into()));
        };
        let root = cgroup_root()?.ok_or_else(|| failed("cgroup v2 is not mounted".into()))?;
        Ok(Self::Cgroup(root.join(path)))
    }

    /// Lists the processes, without zombies.
    pub(crate) fn list(&self) -> Result<BTreeSet<GlobalNr>, Error> {
        match self {
            Self::Cgroup(path) => list_cgroup(path),
            Self::Session(sid) => list_session(*sid),
        }
    }

    /// The same for a source that was there before, and may be gone with its processes.
    pub(crate) fn list_again(&self) -> Result<BTreeSet<GlobalNr>, Error> {
        match self.list() {
            Err(Error::Cgroup { source, .. }) if is_gone(&source) => Ok(BTreeSet::new()),
            list => list,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cgroup(path) => write!(f, "the cgroup '{}'", path.display()),
            Self::Session(sid) => write!(f, "session {sid}"),
        }
    }
}

/// Asks systemctl for the control group of a unit.
fn ask(systemctl: &OsStr, unit: &OsStr) -> io::Result<Output> {
    launch::keep_statuses()?;
    Command::new(systemctl)
        .args(["show", "--property=ControlGroup", "--value", "--"])
        .arg(unit)
        .stdin(Stdio::null())
        .output()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// Where cgroup v2 is mounted.
fn cgroup_root() -> Result<Option<PathBuf>, Error> {
    let mounts = Process::myself()?.mountinfo()?;
    let mut mounts = mounts.into_iter();
    let found = mounts.find(|mount| mount.fs_type == "cgroup2");
    Ok(found.map(|mount| mount.mount_point))
}

fn list_cgroup(path: &Path) -> Result<BTreeSet<GlobalNr>, Error> {
    let mut numbers = BTreeSet::new();
    read_cgroup(path, &mut numbers).map_err(|source| Error::Cgroup {
        path: path.to_owned(),
        source,
    })?;
    // What this pid namespace cannot see has the number 0.
    let processes = numbers.iter().map(|nr| GlobalNr::new(*nr));
    let processes: Option<BTreeSet<_>> = processes.collect();
    processes.ok_or_else(|| Error::Invisible(path.to_owned()))
}

fn read_cgroup(path: &Path, numbers: &mut BTreeSet<u32>) -> io::Result<()> {
    let lines = fs::read_to_string(path.join("cgroup.procs"))?;
    numbers.extend(lines.lines().filter_map(|line| line.parse::<u32>().ok()));
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        match read_cgroup(&entry.path(), numbers) {
            // The processes of a threaded cgroup are those of the one above.
            Err(error) if is_gone(&error) || is_threaded(&error) => {}
            result => result?,
        }
    }
    Ok(())
}

/// Whether a cgroup has been removed.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ENODEV)
}

fn is_threaded(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EOPNOTSUPP)
}

fn list_session(sid: GlobalNr) -> Result<BTreeSet<GlobalNr>, Error> {
    // A process that ends meanwhile cannot be read and is not in the session any more.
    let stats = all_processes()?.filter_map(|process| process.ok()?.stat().ok());
    let meant = stats.filter(|stat| stat.session == sid.as_raw());
    let alive = meant.filter(|stat| stat.state != 'Z' || stat.num_threads > 1);
    Ok(alive
        .filter_map(|stat| GlobalNr::from_raw(stat.pid))
        .collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A directory that looks like a cgroup and goes with its guard.
    pub(crate) struct Cgroup(pub(crate) PathBuf);

    impl Cgroup {
        pub(crate) fn new(name: &str, processes: &[u32]) -> Self {
            let name = format!("pidspace-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path).unwrap();
            write(&path, processes);
            Self(path)
        }
    }

    impl Drop for Cgroup {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn write(path: &Path, processes: &[u32]) {
        let lines: Vec<_> = processes.iter().map(ToString::to_string).collect();
        fs::write(path.join("cgroup.procs"), lines.join("\n")).unwrap();
    }

    fn numbers(source: &Source) -> Vec<u32> {
        source.list().unwrap().iter().map(|nr| nr.get()).collect()
    }

    #[test]
    fn a_cgroup_has_the_processes_of_those_below_it() {
        let top = Cgroup::new("tree", &[20, 10]);
        for (name, processes) in [("a", &[30][..]), ("a/b", &[]), ("a/c", &[5, 20])] {
            fs::create_dir(top.0.join(name)).unwrap();
            write(&top.0.join(name), processes);
        }
        let source = Source::Cgroup(top.0.clone());
        assert_eq!(numbers(&source), [5, 10, 20, 30]);
        fs::remove_file(top.0.join("a/cgroup.procs")).unwrap();
        assert_eq!(numbers(&source), [10, 20]);
        fs::remove_file(top.0.join("cgroup.procs")).unwrap();
        let error = source.list().unwrap_err().to_string();
        assert!(
            error.ends_with("': it is none, name a directory below /sys/fs/cgroup"),
            "{error}"
        );
        assert!(source.list_again().unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_seen_cannot_be_adopted() {
        let cgroup = Cgroup::new("invisible", &[0, 10]);
        let error = Source::Cgroup(cgroup.0.clone()).list().unwrap_err();
        assert!(matches!(error, Error::Invisible(_)), "{error}");
    }

    #[test]
    fn a_session_is_found_in_proc() {
        let mut command = Command::new("sleep");
        let mut child = pidspace_client::sys::in_own_session(command.arg("100"))
            .spawn()
            .unwrap();
        let session = Source::Session(GlobalNr::new(child.id()).unwrap());
        assert_eq!(numbers(&session), [child.id()]);
        child.kill().unwrap();
        while !numbers(&session).is_empty() {}
        child.wait().unwrap();
    }

    /// Runs a script as systemctl.
    fn unit(name: &str, script: &str) -> Result<Source, Error> {
        let home = Cgroup::new(name, &[]);
        let systemctl = home.0.join("systemctl");
        let text = home.0.join("text");
        fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
        // What this process has written is busy until all that other tests start has closed it.
        let mut install = Command::new("install");
        let installed = install.arg("-m755").arg(&text).arg(&systemctl).status();
        assert!(installed.unwrap().success());
        Source::unit(systemctl.as_os_str(), OsStr::new("web"))
    }

    #[test]
    fn a_unit_has_a_cgroup() {
        let why = |name, script| unit(name, script).unwrap_err().to_string();
        assert_eq!(
            why("none", "echo"),
            "cannot find the cgroup of unit 'web': there is no such unit, or it does not run"
        );
        assert_eq!(
            why("failed", "echo no bus >&2; exit 1"),
            "cannot find the cgroup of unit 'web': systemctl failed: no bus"
        );
        let error = Source::unit(OsStr::new("/nonexistent/systemctl"), OsStr::new("web"));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("there is no systemctl"), "{error}");
        let Some(root) = cgroup_root().unwrap() else {
            return;
        };
        let asked = "test \"$*\" = 'show --property=ControlGroup --value -- web' || exit 1";
        let found = unit("found", &format!("{asked}\necho /system.slice/web.service"));
        let path = root.join("system.slice/web.service");
        assert_eq!(found.unwrap(), Source::Cgroup(path));
    }
}
