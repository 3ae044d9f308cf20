# SPDX-License-Identifier: GPL-2.0
"""A space as its manager has it: the commands of /dev/pidspace that the tests need."""
import contextlib
import ctypes
import fcntl
import os
import signal
import struct
import subprocess

MODES = {"track": 0, "scope": 1}

# Numbers and layouts are those of <linux/pidspace.h>.
_ABI, _CREATE, _SPAWN, _MEMBERS, _KILL, _SET, _DESTROY, _HOOKS = 0, 1, 5, 7, 9, 10, 11, 12
_SPAWN_CLEAR = _KILL_SPACE = _DESTROY_KILL = 1
_SET_MODE = 8
_HOOK_F_ARMED = 2
_HOOK_SCOPE = 32
_MEMBER = struct.Struct("=8IQ")
_HOOK = struct.Struct("=Ii40s80s")


def _command(device, number, layout, *values):
    """Run a command whose structure has a layout, and return the structure as it is then."""
    layout = struct.Struct("=I" + layout)
    argument = bytearray(layout.pack(layout.size, *values))
    fcntl.ioctl(device, 3 << 30 | layout.size << 16 | 0xB9 << 8 | number, argument)
    return layout.unpack(argument)


def _open():
    return os.open("/dev/pidspace", os.O_RDWR | os.O_CLOEXEC)


def scope_is_armed():
    """Whether the hooks of mode SCOPE are in force."""
    device = _open()
    try:
        return bool(_command(device, _ABI, "IIIQ", 0, 0, 0, 0)[3] & _HOOK_SCOPE)
    finally:
        os.close(device)


def hooks():
    """The hooks, by the names of their functions: whether each is armed, and its errno."""
    entries = ctypes.create_string_buffer(64 * _HOOK.size)
    device = _open()
    try:
        count = _command(device, _HOOKS, "IIIQII", 0, 0, 64, ctypes.addressof(entries),
                         _HOOK.size, 0)[3]
    finally:
        os.close(device)
    rows = (_HOOK.unpack_from(entries, row * _HOOK.size) for row in range(count))
    return {symbol.rstrip(b"\0").decode(): (bool(flags & _HOOK_F_ARMED), error)
            for flags, error, symbol, _ in rows}


class Space:
    """An unnamed space. SPACE_MODE=track is for proving that a test can fail."""

    def __init__(self, mode=os.environ.get("SPACE_MODE", "scope")):
        self._device = _open()
        self._started = []
        try:
            _command(self._device, _CREATE, "IIIQ64sIIII", 0, MODES[mode], 0, 0, b"", 0, 0, 0, 0)
        except OSError:
            os.close(self._device)
            raise

    def tighten(self, mode):
        """Put the space in another mode."""
        _command(self._device, _SET, "IIIII", _SET_MODE, 0, 0, 0, MODES[mode])

    def _mark(self, flags):
        _command(self._device, _SPAWN, "I", flags)

    def start(self, argv, **options):
        """Start a program as a member, leader of a process group."""
        options.setdefault("process_group", None if options.get("start_new_session") else 0)
        self._mark(0)
        try:
            child = subprocess.Popen(argv, **options)
        finally:
            self._mark(_SPAWN_CLEAR)
        self._started.append(child)
        return child

    def fork(self):
        """Fork a member; as os.fork()."""
        self._mark(0)
        pid = os.fork()
        if pid:
            self._mark(_SPAWN_CLEAR)
        return pid

    def members(self):
        """The processes that are members, by global number."""
        found, cursor = set(), 0
        entries = ctypes.create_string_buffer(64 * _MEMBER.size)
        while True:
            answer = _command(self._device, _MEMBERS, "IQIIII", 0, ctypes.addressof(entries), 64,
                              _MEMBER.size, cursor, 0)
            count, cursor = answer[3], answer[5]
            if not count:
                return found - {0}
            for row in range(count):
                found.add(_MEMBER.unpack_from(entries, row * _MEMBER.size)[7])

    def end(self):
        """Kill what is in the space, and the space."""
        with contextlib.suppress(ProcessLookupError):
            _command(self._device, _KILL, "IiIIIQ", _KILL_SPACE, 0, signal.SIGKILL, 0, 0, 0)
        for child in self._started:
            child.wait()
        _command(self._device, _DESTROY, "I", _DESTROY_KILL)
        os.close(self._device)
