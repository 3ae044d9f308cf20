# SPDX-License-Identifier: GPL-2.0
"""A terminal whose user is outside and whose shell is a member."""
import fcntl
import os
import re
import select
import subprocess
import termios
import time


class Terminal:
    """A pseudo terminal and the program that it is the controlling terminal of."""

    def __init__(self, scene, *argv):
        self.master, slave = os.openpty()
        self._seen = ""
        self.leader = scene.start(
            *argv, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env=dict(os.environ, TERM="dumb", PS1="ready> ", OUT=str(scene.out)),
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def type(self, text):
        """Press keys."""
        os.write(self.master, text.encode())

    def expect(self, pattern, seconds=120):
        """Read on until the text matches, and return the match; what is before it is dropped."""
        end = time.monotonic() + seconds
        while not (match := re.search(pattern, self._seen, re.MULTILINE)):
            left = end - time.monotonic()
            assert left > 0 and self._read(left), \
                f"expected {pattern!r} on the terminal:\n{self._seen}"
        self._seen = self._seen[match.end():]
        return match

    def _read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        try:
            text = os.read(self.master, 4096) if ready else b""
        except OSError:
            # Nobody has the other end open any more.
            text = b""
        self._seen += text.decode().replace("\r", "")
        return bool(text)

    def foreground(self):
        """The process group in the foreground."""
        return os.tcgetpgrp(self.master)

    def close(self):
        """Hang up."""
        os.close(self.master)

    def ended(self, seconds=120):
        """Wait for the end of the program and return its status."""
        try:
            return self.leader.wait(seconds)
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f"the program lives after {late.timeout} s") from late
