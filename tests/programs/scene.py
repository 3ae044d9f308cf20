# SPDX-License-Identifier: GPL-2.0
"""What the tests of other people's programs share: a space, someone outside, and results."""
import collections
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from space import Space

# Seconds for a test.
TEST_LIMIT = 400

Result = collections.namedtuple("Result", "status output")


class Skip(Exception):
    """A test cannot run here; says why."""


def eventually(condition, what, seconds=120):
    """Wait until a condition comes true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def want(pattern, text):
    """The text must match."""
    assert re.search(pattern, text, re.MULTILINE), f"expected {pattern!r} in:\n{text}"


def refuse(pattern, text):
    """The text must not match."""
    assert not re.search(pattern, text, re.MULTILINE), f"expected no {pattern!r} in:\n{text}"


def equal(expected, found):
    """Both must be the same."""
    assert expected == found, f"expected {expected!r}, found {found!r}"


def status_of(pid, key):
    """A line of /proc/PID/status."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return re.search(rf"^{key}:\s*(\S*)", file.read(), re.MULTILINE).group(1)


def host(*argv, **options):
    """Run a program outside of the space."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=TEST_LIMIT, **options)
    return Result(done.returncode, done.stdout)


class Scene:
    """A space, and a process outside that must come to no harm."""

    def __init__(self):
        self.space = Space()
        self.outsider = subprocess.Popen(["sleep", "71001"], process_group=0)
        # Nobody may take it for what it was before it became another program.
        eventually(lambda: status_of(self.outsider.pid, "Name") == "sleep", "an outsider")
        eventually(lambda: status_of(self.outsider.pid, "State") == "S", "an outsider that sleeps")
        self.out = self.outsider.pid
        self.files = tempfile.TemporaryDirectory()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        harm = self._harm()
        self.outsider.kill()
        self.outsider.wait()
        self.space.end()
        self.files.cleanup()
        if kind is None and harm:
            raise AssertionError(f"the outsider {harm}")

    def _harm(self):
        if self.outsider.poll() is not None:
            return f"ended with {self.outsider.returncode}"
        state, tracer = status_of(self.out, "State"), status_of(self.out, "TracerPid")
        return "" if (state, tracer) == ("S", "0") else f"is in state {state}, traced by {tracer}"

    def path(self, name, text=None, mode=0o644):
        """A file of this test's own."""
        path = os.path.join(self.files.name, name)
        if text is not None:
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            os.chmod(path, mode)
        return path

    def start(self, *argv, **options):
        """Start a program as a member."""
        options.setdefault("stdin", subprocess.DEVNULL)
        return self.space.start(argv, **options)

    def run(self, *argv, **options):
        """Run a program as a member to its end."""
        child = self.start(*argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           **options)
        output, _ = child.communicate(timeout=TEST_LIMIT)
        return Result(child.returncode, output)

    def bash(self, script, **options):
        """Run a script as a member; $OUT is the outsider."""
        environment = dict(os.environ, OUT=str(self.out), DIR=self.files.name)
        return self.run("bash", "-c", script, env=environment, **options)

    def fellow(self, seconds="61001"):
        """A member that sleeps."""
        child = self.start("sleep", seconds)
        eventually(lambda: status_of(child.pid, "Name") == "sleep", "a fellow")
        return child

    def call(self, function, *arguments):
        """Run a function in a member; what goes wrong there goes wrong here."""
        reader, writer = os.pipe()
        pid = self.space.fork()
        if pid == 0:
            _report(writer, function, arguments)
        os.close(writer)
        _, status = os.waitpid(pid, 0)
        # What it has left running may have inherited the pipe, so there may be no end of it.
        os.set_blocking(reader, False)
        try:
            said = os.read(reader, 1 << 16).decode()
        except BlockingIOError:
            said = ""
        os.close(reader)
        assert status == 0, f"a member ended with {status}:\n{said}"


def _report(writer, function, arguments):
    """Be the child of Scene.call()."""
    status = 0
    try:
        function(*arguments)
    except BaseException:  # pylint: disable=broad-exception-caught
        os.write(writer, traceback.format_exc().encode())
        status = 1
    os._exit(status)


def _alarm(_signal, _frame):
    raise TimeoutError(f"no end within {TEST_LIMIT} s")


def _outcome(test, setting):
    """Run a test: how it went, and what it said."""
    signal.alarm(TEST_LIMIT)
    try:
        with setting() as what:
            test(what)
        return "ok", "", ""
    except Skip as skip:
        return "ok", f" # SKIP {skip}", ""
    except Exception:  # pylint: disable=broad-exception-caught
        return "not ok", "", traceback.format_exc()
    finally:
        signal.alarm(0)


def run(*tests, setting=Scene):
    """Run each test in a setting of its own and report them in KTAP; never returns."""
    signal.signal(signal.SIGALRM, _alarm)
    sys.stdout.reconfigure(line_buffering=True)
    print("KTAP version 1")
    print(f"1..{len(tests)}")
    failed, skipped = False, 0
    for number, test in enumerate(tests, 1):
        start = time.monotonic()
        result, directive, said = _outcome(test, setting)
        for line in said.splitlines():
            print("#", line)
        print(f"# {test.__name__}: {time.monotonic() - start:.1f} s")
        print(f"{result} {number} {test.__name__}{directive}")
        failed |= result != "ok"
        skipped += bool(directive)
    sys.exit(1 if failed else 4 if skipped == len(tests) else 0)
