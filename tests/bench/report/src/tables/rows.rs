// SPDX-License-Identifier: GPL-2.0

//! What stands in the tables: how it is called, and which figure it is.

/// What any program does: label and row.
pub(super) const PROCESS: &[(&str, &str)] = &[
    ("fork+exit+wait", "fork"),
    ("fork+exec+exit+wait", "exec"),
    ("vfork+exit+wait", "vfork"),
    ("the same, without rests", "vfork_steady"),
    ("thread, start and join", "thread"),
    ("getpid", "getpid"),
    ("kill(self, 0)", "kill_self"),
    ("kill(other, 0)", "kill_other"),
    ("kill(nobody, 0)", "kill_nobody"),
    ("getpgid(other)", "getpgid_other"),
    ("pidfd_open(other), close", "pidfd_open_other"),
    ("/proc/self/status", "proc_status"),
];

pub(super) const OURS: &[(&str, &str)] = &[
    ("loaded", "loaded"),
    ("members around", "outsider"),
    ("member", "track"),
    ("SCOPE armed", "scope_armed"),
    ("SCOPE around", "scope_outsider"),
    ("SCOPE member", "scope"),
    ("bare again", "bare_again"),
];

pub(super) const PEERS: &[(&str, &str)] = &[
    ("member", "track"),
    ("pid namespace", "pidns1"),
    ("two levels", "pidns2"),
    ("cgroup with pids", "cgroup"),
];

/// A figure of pidspace beside one of Linux's own: row, variant, size.
pub(super) type Place = (&'static str, &'static str, Option<u64>);

/// A figure and what it is called, and the same of what is beside it.
pub(super) type Beside = (&'static str, Place, &'static str, Place);

const NULL_IOCTL: Place = ("ioctl_unknown", "null", None);
pub(super) const COMMANDS: &[Beside] = &[
    (
        "unknown ioctl",
        ("ioctl_unknown", "track", None),
        "on /dev/null",
        NULL_IOCTL,
    ),
    (
        "LOOKUP, global number",
        ("lookup_in_space", "track", None),
        "unknown ioctl, /dev/null",
        NULL_IOCTL,
    ),
    (
        "LOOKUP, local number",
        ("lookup_from_space", "track", None),
        "unknown ioctl, /dev/null",
        NULL_IOCTL,
    ),
    (
        "LOOKUP, global number",
        ("lookup_in_space", "track", None),
        "NS_GET_TGID_IN_PIDNS",
        ("lookup_in_space", "pidns1", None),
    ),
    (
        "LOOKUP, local number",
        ("lookup_from_space", "track", None),
        "NS_GET_TGID_FROM_PIDNS",
        ("lookup_from_space", "pidns1", None),
    ),
    (
        "LOOKUP, global number",
        ("lookup_in_space", "track", None),
        "read of /proc/PID/cgroup",
        ("lookup_in_space", "cgroup", None),
    ),
    (
        "LOOKUP, pidfd",
        ("lookup_pidfd", "track", None),
        "unknown ioctl, /dev/null",
        NULL_IOCTL,
    ),
    (
        "LOOKUP, each of 64",
        ("lookup_batch", "track", None),
        "unknown ioctl, /dev/null",
        NULL_IOCTL,
    ),
    (
        "INFO",
        ("info", "track", None),
        "unknown ioctl, /dev/null",
        NULL_IOCTL,
    ),
    (
        "KILL of a member, signal 0",
        ("kill_member", "track", None),
        "kill(2)",
        ("kill_other", "bare", None),
    ),
    (
        "KILL of a space, per member",
        ("kill_space", "track", Some(10000)),
        "kill(2)",
        ("kill_other", "bare", None),
    ),
    (
        "open, OPEN, close",
        ("open", "track", None),
        "/dev/null",
        ("open", "null", None),
    ),
    (
        "SPAWN, mark and clear",
        ("mark_clear", "track", None),
        "unknown ioctl, /dev/null",
        NULL_IOCTL,
    ),
    (
        "space: make, end",
        ("create_destroy", "track", None),
        "unshare, first child",
        ("first_child", "pidns1", None),
    ),
    (
        "space: make, end",
        ("create_destroy", "track", None),
        "mkdir, rmdir of a cgroup",
        ("create_destroy", "cgroup", None),
    ),
    (
        "the same with a name",
        ("create_destroy_named", "track", None),
        "unshare, first child",
        ("first_child", "pidns1", None),
    ),
    (
        "the same with a child",
        ("first_child", "track", None),
        "unshare, first child",
        ("first_child", "pidns1", None),
    ),
    (
        "ADOPT one process",
        ("adopt_one", "track", None),
        "write to cgroup.procs",
        ("adopt_one", "cgroup", None),
    ),
    (
        "ADOPT a tree, per process",
        ("adopt_tree", "track", None),
        "writes to cgroup.procs",
        ("adopt_tree", "cgroup", None),
    ),
    (
        "MEMBERS, per number",
        ("list_members", "track", Some(10000)),
        "readdir of /proc",
        ("list_members", "proc", Some(10000)),
    ),
    (
        "KILL 1000 and reap, each",
        ("end_many", "track", Some(1000)),
        "cgroup.kill",
        ("end_many", "cgroup", Some(1000)),
    ),
    (
        "KILL 1000 and reap, each",
        ("end_many", "track", Some(1000)),
        "cgroup.kill, loaded",
        ("end_many", "cgroup_loaded", Some(1000)),
    ),
    (
        "KILL 1000 and reap, each",
        ("end_many", "track", Some(1000)),
        "kill(2) of each",
        ("end_many", "loop", Some(1000)),
    ),
    (
        "KILL 1000 and reap, each",
        ("end_many", "track", Some(1000)),
        "end of a pid namespace",
        ("end_many", "pidns1", Some(1000)),
    ),
];

/// What the README tells.
pub(super) const HEADLINES: &[Beside] = &[
    (
        "vfork+exit+wait, not a member",
        ("vfork", "loaded", None),
        "without the module",
        ("vfork", "bare", None),
    ),
    (
        "vfork+exit+wait, member",
        ("vfork", "track", None),
        "without the module",
        ("vfork", "bare", None),
    ),
    (
        "vfork+exit+wait, member",
        ("vfork", "track", None),
        "in a pid namespace",
        ("vfork", "pidns1", None),
    ),
    (
        "vfork+exit+wait, member",
        ("vfork", "track", None),
        "in a cgroup with pids",
        ("vfork", "cgroup", None),
    ),
    (
        "find a process by number",
        ("lookup_in_space", "track", None),
        "NS_GET_TGID_IN_PIDNS",
        ("lookup_in_space", "pidns1", None),
    ),
    (
        "a space and its first process",
        ("first_child", "track", None),
        "unshare, first fork",
        ("first_child", "pidns1", None),
    ),
    (
        "adopt a tree, per process",
        ("adopt_tree", "track", None),
        "writes to cgroup.procs",
        ("adopt_tree", "cgroup", None),
    ),
    (
        "list 10000 members, each",
        ("list_members", "track", Some(10000)),
        "readdir of /proc",
        ("list_members", "proc", Some(10000)),
    ),
    (
        "kill 1000 and reap, each",
        ("end_many", "track", Some(1000)),
        "cgroup.kill",
        ("end_many", "cgroup_loaded", Some(1000)),
    ),
];

pub(super) const STORM: &[(&str, &str, &str)] = &[
    ("without the module", "storm", "bare"),
    ("in pid namespaces of their own", "storm", "pidns1"),
    ("in no space", "storm", "loaded"),
    ("in spaces of their own", "storm", "track"),
    ("in one space", "storm", "one_space"),
];

pub(super) const MEMBERS: &[(&str, &str, &str)] = &[
    ("vfork+exit+wait of a member", "vfork", "track"),
    ("... in a pid namespace", "vfork", "pidns1"),
    ("... beside as many processes", "vfork", "bare"),
    ("LOOKUP, global number", "lookup_in_space", "track"),
    ("LOOKUP, local number", "lookup_from_space", "track"),
    ("KILL of a member, signal 0", "kill_member", "track"),
    ("KILL of all, per member", "kill_space", "track"),
    ("MEMBERS, per number", "list_members", "track"),
    ("readdir of /proc, per process", "list_members", "proc"),
];

pub(super) const SPACES: &[(&str, &str, &str)] = &[
    ("space: make, end", "create_destroy", "spaces"),
    ("open, OPEN by name, close", "open_by_name", "spaces"),
    ("vfork+exit+wait of a member", "vfork", "spaces"),
    ("LIST, per space", "list_spaces", "spaces"),
];

pub(super) const RANGE: &[(&str, &str, &str)] = &[
    ("get one: the map of a space", "alloc", "pidmap"),
    ("get one: the kernel's IDR", "alloc", "idr"),
    ("give back: the map", "free", "pidmap"),
    ("give back: the IDR", "free", "idr"),
];

pub(super) const MEMORY: &[(&str, &str, &str)] = &[
    ("empty space", "space", "track"),
    ("member", "member", "track"),
    ("handle", "handle", "track"),
    ("handle, not bound", "handle_unbound", "track"),
    (
        "a light process itself, for comparison",
        "process",
        "loaded",
    ),
];
