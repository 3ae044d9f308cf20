#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""lines.py MODULE SECTIONS ADDRESSES

Tell which lines of the module were executed. MODULE is linked at the addresses of BASES,
SECTIONS is where the guest had its sections, and ADDRESSES what was executed there. A line
counts when code was made of it, that of functions inlined there included, and as covered
when any instruction of any of that code was executed."""

import bisect
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

# As in scripts/coverage.
BASES = {".text": 0x1000000, ".init.text": 0x2000000, ".exit.text": 0x3000000}
ROOTS = ("rust/module/", "rust/logic/", "rust/helpers/")


def tree_path(path):
    """The name of a source file in this tree, or None."""
    path = os.path.normpath(path)
    found = [path[path.find(root):] for root in ROOTS if root in path]
    # The kernel's own rust/helpers/ has other files.
    return found[0] if found and pathlib.Path(found[0]).exists() else None


def stretches(module):
    """The starts and ends of the stretches of code that come from one place each."""
    table = subprocess.run(["llvm-dwarfdump", "--debug-line", module], capture_output=True, text=True, check=True)
    previous, found = None, {}
    for line in table.stdout.split("\n"):
        if row := re.match(r"0x([0-9a-f]{16}) ", line):
            address = int(row[1], 16)
            if previous is not None and address > previous:
                found[previous] = address
            previous = None if "end_sequence" in line else address
    return found


def lines_of(module, addresses):
    """For each address, the lines that it comes from: where it is inlined, all callers' too."""
    command = ["llvm-symbolizer", "--output-style=JSON", "--inlines", f"--obj={module}"]
    asked = "\n".join(hex(address) for address in addresses)
    said = subprocess.run(command, input=asked, capture_output=True, text=True, check=True).stdout
    answers = [json.loads(line) for line in said.split("\n") if line]
    for address, answer in zip(addresses, answers, strict=True):
        for frame in answer["Symbol"]:
            path = tree_path(frame["FileName"])
            if path and frame["Line"]:
                yield address, path, frame["Line"]


def executed(sections, addresses):
    """The addresses of the guest, as if the module were linked at BASES."""
    places = []
    for line in sections.read_text().split():
        name, address = line.split(":")
        places.append((int(address, 16), BASES[name]))
    places.sort()
    starts = [start for start, _ in places]
    found = set()
    for line in addresses.read_text().split():
        address = int(line, 16)
        at = bisect.bisect(starts, address) - 1
        if at >= 0 and address - starts[at] < 0x1000000:
            found.add(address - starts[at] + places[at][1])
    return sorted(found)


def ranges(numbers):
    """Numbers in order, neighbours joined."""
    text, numbers = [], sorted(numbers)
    for at, number in enumerate(numbers):
        if at and numbers[at - 1] == number - 1:
            text[-1][1] = number
        else:
            text.append([number, number])
    return " ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in text)


def main():
    module, sections, addresses = sys.argv[1], *map(pathlib.Path, sys.argv[2:4])
    seen = executed(sections, addresses)
    code = stretches(module)
    lines = collections.defaultdict(lambda: collections.defaultdict(bool))
    for start, path, line in lines_of(module, list(code)):
        at = bisect.bisect_left(seen, start)
        lines[path][line] |= at < len(seen) and seen[at] < code[start]
    total = covered = 0
    for path in sorted(lines):
        of, hit = len(lines[path]), sum(lines[path].values())
        total, covered = total + of, covered + hit
        missed = ranges(line for line, was in lines[path].items() if not was)
        print(f"{100 * hit / of:5.1f} % {hit:5} of {of:5}  {path}" + (f"  not: {missed}" if missed else ""))
    if not total:
        sys.exit("lines.py: the module has no line of this tree: built without debugging information?")
    print(f"{100 * covered / total:5.1f} % {covered:5} of {total:5}  in all")


main()
