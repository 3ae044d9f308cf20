// SPDX-License-Identifier: GPL-2.0

//! What /proc tells of a task.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use pidspace_client::GlobalNr;
use procfs::process::{Process, Stat};
use procfs::ProcResult;

/// A task, as /proc shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// Its state, one letter.
    pub(crate) state: char,
    /// The processor time that it has used.
    pub(crate) seconds: u64,
    /// Its command line, or in brackets its name.
    pub(crate) command: String,
}

/// Reads a process as a whole.
pub(crate) fn process(tgid: GlobalNr) -> ProcResult<Task> {
    let process = Process::new(tgid.as_raw())?;
    let stat = process.stat()?;
    // A zombie has no command line any more, and a kernel thread never had one.
    let words = process.cmdline().unwrap_or_default();
    let command = match words.is_empty() {
        true => format!("[{}]", stat.comm),
        false => words.join(" "),
    };
    Ok(task(&stat, command))
}

/// Reads one thread of a process.
pub(crate) fn thread(tgid: GlobalNr, tid: GlobalNr) -> ProcResult<Task> {
    let thread = Process::new(tgid.as_raw())?.task_from_tid(tid.as_raw())?;
    let stat = thread.stat()?;
    Ok(task(&stat, format!("[{}]", stat.comm)))
}

/// Reads how a process ended that waits to be reaped.
pub(crate) fn zombie_status(tgid: GlobalNr) -> Option<ExitStatus> {
    // Who may not look at the process at all is told that it ended with status 0.
    fs::read_link(format!("/proc/{tgid}/ns/user")).ok()?;
    let stat = Process::new(tgid.as_raw()).ok()?.stat().ok()?;
    let ended = stat.state == 'Z' && stat.num_threads <= 1;
    ended.then(|| stat.exit_code.map(ExitStatus::from_raw))?
}

fn task(stat: &Stat, command: String) -> Task {
    Task {
        state: stat.state,
        seconds: (stat.utime + stat.stime) / procfs::ticks_per_second(),
        command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> GlobalNr {
        GlobalNr::new(std::process::id()).unwrap()
    }

    #[test]
    fn this_process_is_there() {
        let task = process(own()).unwrap();
        assert!("RSD".contains(task.state), "{task:?}");
        let program = std::env::args().next().unwrap();
        assert!(task.command.starts_with(&program), "{task:?}");
    }

    #[test]
    fn its_threads_have_names() {
        let task = thread(own(), own()).unwrap();
        assert!(task.command.starts_with('['), "{task:?}");
    }

    #[test]
    fn a_zombie_tells_how_it_ended() {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "kill -TERM $$"])
            .spawn()
            .unwrap();
        let nr = GlobalNr::new(child.id()).unwrap();
        let status = std::iter::repeat_with(|| zombie_status(nr)).find_map(|status| status);
        assert_eq!(status.unwrap().signal(), Some(15));
        child.wait().unwrap();
        assert_eq!(zombie_status(nr), None);
        assert_eq!(zombie_status(own()), None);
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        assert!(process(GlobalNr::new(i32::MAX.unsigned_abs()).unwrap()).is_err());
    }
}
