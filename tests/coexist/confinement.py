# SPDX-License-Identifier: GPL-2.0
"""Whether a space confines: a member tries every function that mode SCOPE hooks."""
import ctypes
import errno
import fcntl
import os
import platform
import resource
import signal

from scene import equal

_libc = ctypes.CDLL(None, use_errno=True)

# Of the kernel's headers, for x86-64 and arm64.
_X86 = platform.machine() == "x86_64"
_SYS_IOPRIO_SET = 251 if _X86 else 30
_SYS_IOPRIO_GET = 252 if _X86 else 31
_SYS_MOVE_PAGES = 279 if _X86 else 239
_SYS_CAPGET = 125 if _X86 else 90
_SYS_KEYCTL = 250 if _X86 else 219
_SYS_PIDFD_GETFD = 438
_SYS_PROCESS_MADVISE = 440
_MADV_COLD = 20
_PTRACE_SEIZE = 0x4206
_KEYCTL_SESSION_TO_PARENT = 18
_PIDFD_GET_INFO = 3 << 30 | 64 << 16 | 0xFF << 8 | 11
_CAPABILITY_VERSION_3 = 0x20080522

# What the calls below never come to: it takes a 32-bit program.
UNTRIED = {"__ia32_sys_pidfd_open"}


def _checked(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _syscall(*arguments):
    """A system call that the standard library does not have."""
    return _checked(_libc.syscall(*(ctypes.c_long(a) if isinstance(a, int) else a
                                    for a in arguments)))


def _capget(pid):
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, pid)
    return _syscall(_SYS_CAPGET, ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


def _seize(pid):
    """Attach to a process; it is let go when the caller ends."""
    _checked(_libc.ptrace(ctypes.c_long(_PTRACE_SEIZE), ctypes.c_long(pid), None, None))


def _clock(pid):
    """The CPU clock of a process."""
    timespec = (ctypes.c_long * 2)()
    _checked(_libc.clock_gettime(ctypes.c_int(~pid << 3 | 2), ctypes.byref(timespec)))


def _give_to_group(pid):
    """Make the group of a process the owner of a file."""
    with open("/dev/null", "rb") as file:
        fcntl.fcntl(file, fcntl.F_SETOWN, -pid)


def _outcome(call):
    """0, or the errno that a call fails with."""
    try:
        call()
    except OSError as error:
        return error.errno
    return 0


def _by_number(pid):
    """Calls that name a process by its number, and what they answer for one outside."""
    return {
        "kill": (lambda: os.kill(pid, 0), errno.ESRCH),
        "killpg": (lambda: os.killpg(pid, 0), errno.ESRCH),
        "pidfd_open": (lambda: os.close(os.pidfd_open(pid)), errno.ESRCH),
        "ptrace": (lambda: _seize(pid), errno.ESRCH),
        "getpgid": (lambda: os.getpgid(pid), errno.ESRCH),
        "getsid": (lambda: os.getsid(pid), errno.ESRCH),
        "getpriority": (lambda: os.getpriority(os.PRIO_PROCESS, pid), errno.ESRCH),
        "setpriority": (lambda: os.setpriority(os.PRIO_PROCESS, pid, 0), errno.ESRCH),
        "ioprio_get": (lambda: _syscall(_SYS_IOPRIO_GET, 1, pid), errno.ESRCH),
        "ioprio_set": (lambda: _syscall(_SYS_IOPRIO_SET, 1, pid, 0), errno.ESRCH),
        "sched_getscheduler": (lambda: os.sched_getscheduler(pid), errno.ESRCH),
        "sched_setscheduler": (
            lambda: os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0)), errno.ESRCH),
        "sched_getaffinity": (lambda: os.sched_getaffinity(pid), errno.ESRCH),
        "prlimit": (lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE), errno.ESRCH),
        "capget": (lambda: _capget(pid), errno.ESRCH),
        "move_pages": (lambda: _syscall(_SYS_MOVE_PAGES, pid, 0, None, None, None, 0),
                       errno.ESRCH),
        "clock": (lambda: _clock(pid), errno.EINVAL),
        "F_SETOWN": (lambda: _give_to_group(pid), errno.ESRCH),
        "stat": (lambda: os.stat(f"/proc/{pid}"), errno.ENOENT),
        "open": (lambda: os.close(os.open(f"/proc/{pid}/stat", os.O_RDONLY)), errno.ENOENT),
    }


def _by_handle(pidfd, directory):
    """Calls that have a descriptor for a process, and what they answer for one outside."""
    return {
        "pidfd_send_signal": (lambda: signal.pidfd_send_signal(pidfd, 0), errno.EPERM),
        "pidfd_getfd": (lambda: os.close(_syscall(_SYS_PIDFD_GETFD, pidfd, 0, 0)), errno.EPERM),
        "process_madvise": (lambda: _syscall(_SYS_PROCESS_MADVISE, pidfd, None, 0, _MADV_COLD, 0),
                            errno.EPERM),
        "PIDFD_GET_INFO": (lambda: fcntl.ioctl(pidfd, _PIDFD_GET_INFO, bytearray(64)),
                           errno.EREMOTE),
        "openat": (lambda: os.close(os.open("stat", os.O_RDONLY, dir_fd=directory)), errno.ENOENT),
        "openat of net": (lambda: os.close(os.open("net/dev", os.O_RDONLY, dir_fd=directory)),
                          errno.ENOENT),
    }


def _try(calls, is_outside):
    for name, (call, refusal) in calls.items():
        found = _outcome(call)
        due = refusal if is_outside else 0
        assert found == due, f"{name}: {errno.errorcode.get(found, found)} instead of " \
                             f"{errno.errorcode.get(due, due)}, outside: {is_outside}"


def _listed():
    return {int(name) for name in os.listdir("/proc") if name.isdecimal()}


def _member(fellow, outsider, handles):
    """A member's: all calls, of a fellow and of somebody outside."""
    _try(_by_number(outsider), True)
    _try(_by_number(fellow), False)
    _try(_by_handle(*handles[outsider]), True)
    _try(_by_handle(*handles[fellow]), False)
    equal(errno.ECHILD, _outcome(lambda: os.waitpid(outsider, os.WNOHANG)))
    listed = _listed()
    assert fellow in listed and outsider not in listed, f"/proc lists {listed}"
    equal(errno.EPERM, _outcome(lambda: _syscall(_SYS_KEYCTL, _KEYCTL_SESSION_TO_PARENT)))
    child = os.fork()
    if child == 0:
        signal.pause()
    os.setpgid(child, child)
    os.kill(child, signal.SIGTERM)
    equal((child, signal.SIGTERM), os.waitpid(child, 0))


def holds(scene):
    """A member finds its fellow and nobody outside; who is outside finds both."""
    fellow = scene.fellow()
    handles = {pid: (os.pidfd_open(pid), os.open(f"/proc/{pid}", os.O_RDONLY | os.O_DIRECTORY))
               for pid in (fellow.pid, scene.out)}
    # What the host has looked up is in the dcache.
    os.stat(f"/proc/{scene.out}/stat")
    try:
        scene.call(_member, fellow.pid, scene.out, handles)
        for pid in (fellow.pid, scene.out):
            os.kill(pid, 0)
            signal.pidfd_send_signal(handles[pid][0], 0)
            assert pid in _listed(), f"/proc does not list {pid} any more"
            os.stat(f"/proc/{pid}/stat")
    finally:
        for descriptors in handles.values():
            for descriptor in descriptors:
                os.close(descriptor)
    fellow.kill()
    fellow.wait()
