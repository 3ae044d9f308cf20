# SPDX-License-Identifier: GPL-2.0
"""What the tests of other tracers share: a profiler that always runs, reloading, tracefs."""
import os
import subprocess

from confinement import UNTRIED, holds
from scene import Scene, Skip, equal, host
from space import hooks, scope_is_armed

HERE = os.path.dirname(os.path.realpath(__file__))
TRACEFS = "/sys/kernel/tracing"
TRACEPOINTS = {"task_newtask", "sched_process_exit", "sched_process_exec"}


class Profiled:
    """The setting of a test: meanwhile the whole machine is sampled."""

    def __init__(self):
        self._sampler = subprocess.Popen([os.path.join(HERE, "sampler")], text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = self._sampler.stdout.readline()
        if said != "sampling\n":
            raise Skip(f"no perf events: {said.strip()}")

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self._sampler.terminate()
        said, _ = self._sampler.communicate()
        if kind is None:
            equal(0, self._sampler.returncode)
            samples, in_kernel = map(int, said.split())
            assert samples >= 20 and in_kernel, f"the profiler has seen {said}"


def functions():
    """The functions that are hooked on this architecture."""
    return sorted(set(hooks()) - TRACEPOINTS)


def reload():
    """Load the module anew: none of the hooks of mode SCOPE is in force then."""
    if "PIDSPACE_KO" not in os.environ:
        raise Skip("PIDSPACE_KO does not name the module")
    equal((0, ""), host("rmmod", "pidspace"))
    equal((0, ""), host("insmod", os.environ["PIDSPACE_KO"]))
    os.chmod("/dev/pidspace", 0o666)
    assert not scope_is_armed(), "a fresh module has hooks of mode SCOPE"


def in_both_orders(tracer):
    """A tracer that comes before the hooks, and one that comes after them.

    The confinement holds while it is there and after it has gone. What the tracer sees it tells by
    saw(), which clears it.
    """
    reload()
    with tracer:
        with Scene() as scene:
            assert scope_is_armed(), "the hooks are not in force"
            holds(scene)
        tracer.saw()
    with Scene() as scene:
        holds(scene)
        with tracer:
            holds(scene)
            tracer.saw()
        holds(scene)


def write(name, text):
    """Write to a file of tracefs."""
    with open(os.path.join(TRACEFS, name), "w", encoding="ascii") as file:
        file.write(text)


def read(name):
    """Read a file of tracefs."""
    with open(os.path.join(TRACEFS, name), encoding="ascii") as file:
        return file.read()


def lacks(found):
    """Functions that the calls of holds() come to and that a tracer has not seen."""
    return set(functions()) - UNTRIED - found

