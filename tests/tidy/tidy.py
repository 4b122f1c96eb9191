#!/usr/bin/env python3
"""Rules that hold for the whole tree and that no compiler checks: tests/tidy/tidy.py [directory]

Prints one line for each place that breaks one, `file:line: what`, and exits 1 if there is any.
"""

import os
import re
import subprocess
import sys
from collections import namedtuple

# A room includes itself and the rooms to its right; tests include all (ARCHITECTURE.md, code map).
ROOMS = ("tools", "http", "projections", "events", "core")

COLUMNS_MAX = 120  # clang-format aims at 100; beyond 120 a line is not read

# Written in parts, so that this file does not break its own rules.
OUTSIDE = "../" + "shared"
UNDONE = re.compile(r"\b(%s)\b" % "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")))
REGISTRIES = tuple(".".join(parts) for parts in (
    ("pypi", "org"), ("files", "pythonhosted", "org"), ("registry", "npmjs", "org"), ("npmjs", "com"),
    ("crates", "io"), ("proxy", "golang", "org"), ("rubygems", "org"), ("repo1", "maven", "org"),
    ("docker", "io"), ("ghcr", "io"), ("quay", "io"), ("center", "conan", "io"), ("deb", "debian", "org")))

# Not ours, or not text: recorded data, licences, vectors of others.
FOREIGN = re.compile(r"^(LICENSE|.*/LICENSE|examples/.*\.jsonl|tests/data/.*|tests/fuzz/corpus/.*)$")

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
LINK = re.compile(r"\]\(([^)\s]+)\)")

Problem = namedtuple("Problem", "file line what")


def files_of(root):
    """Paths of all files that are ours: what git tracks and what it would, else all but builds."""
    try:
        listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                capture_output=True, check=True).stdout.decode()
        names = [name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = []
        for folder, folders, found in os.walk(root):
            folders[:] = [f for f in folders if f not in ("build", ".git", "__pycache__")]
            names += [os.path.relpath(os.path.join(folder, f), root) for f in found]
    return sorted(n for n in set(names) if os.path.isfile(os.path.join(root, n)))


def is_cpp(name):
    return name.endswith((".cpp", ".hpp"))


def room_of(name):
    return name.split("/", 1)[0]


def check_text(name, lines):
    for number, line in enumerate(lines, 1):
        if OUTSIDE in line:
            yield Problem(name, number, "names a path outside of the project")
        if UNDONE.search(line):
            yield Problem(name, number, "says that something is left to do: do it, or open an issue")
        for host in REGISTRIES:
            if host in line:
                yield Problem(name, number, "names the package registry %s" % host)
        if is_cpp(name) and len(line) > COLUMNS_MAX and '"' not in line:  # a long text stays whole
            yield Problem(name, number, "has %d columns, more than %d" % (len(line), COLUMNS_MAX))


def check_room(name):
    if room_of(name) not in ROOMS + ("tests",) or "/" not in name:
        yield Problem(name, 1, "is a source outside of the rooms")


def check_includes(name, lines, names):
    """Arrows, and that each include is there from the root."""
    here = room_of(name)
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        target = found[1]
        if target not in names:
            yield Problem(name, number, 'includes "%s", which is no file below the root' % target)
            continue
        there = room_of(target)
        if here in ROOMS and (there not in ROOMS or ROOMS.index(there) < ROOMS.index(here)):
            yield Problem(name, number, "an arrow from %s to %s" % (here, there))


def check_header(name, lines):
    if not lines or lines[0] != "#pragma once":
        yield Problem(name, 1, "does not begin with #pragma once")


def check_used(names, contents):
    """Headers that nobody includes."""
    included = set()
    for name in names:
        if is_cpp(name):
            included.update(m[1] for m in map(INCLUDE.match, contents[name]) if m)
    for name in sorted(names):
        if name.endswith(".hpp") and name not in included:
            yield Problem(name, 1, "is included by nobody")


def slug(heading):
    """The anchor of a heading, as the usual renderers make it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def anchors_of(lines):
    return {slug(line.lstrip("#")) for line in lines if line.startswith("#")}


def check_links(name, lines, root, contents):
    fenced = False
    for number, line in enumerate(lines, 1):
        fenced ^= line.startswith("```")
        if fenced:
            continue
        for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            full = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
            if not os.path.exists(os.path.join(root, full)):
                yield Problem(name, number, "links to %s, which is not there" % target)
            elif anchor and full in contents and anchor not in anchors_of(contents[full]):
                yield Problem(name, number, "links to %s, which is no heading" % target)


def check(root):
    """All problems of the tree below `root`, in order."""
    names = [n for n in files_of(root) if not FOREIGN.match(n)]
    contents = {}
    problems = []
    for name in names:
        try:
            with open(os.path.join(root, name), encoding="utf-8") as file:
                contents[name] = file.read().splitlines()
        except UnicodeDecodeError:
            problems.append(Problem(name, 1, "is no UTF-8 text"))
            contents[name] = []
    for name in names:
        lines = contents[name]
        problems += check_text(name, lines)
        if is_cpp(name):
            problems += check_room(name)
            problems += check_includes(name, lines, contents)
        if name.endswith(".hpp"):
            problems += check_header(name, lines)
        if name.endswith(".md"):
            problems += check_links(name, lines, root, contents)
    problems += check_used(names, contents)
    return sorted(problems)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    problems = check(root)
    for p in problems:
        print("%s:%d: %s" % p)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
