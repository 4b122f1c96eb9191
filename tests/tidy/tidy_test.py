#!/usr/bin/env python3
"""Tests of tidy.py: each rule finds what breaks it, and nothing in a tree that breaks none."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tidy  # noqa: E402

CLEAN = {
    "core/id.hpp": "#pragma once\n#include <string>\n",
    "core/id.cpp": '#include "core/id.hpp"\n',
    "events/log.hpp": '#pragma once\n#include "core/id.hpp"\n',
    "http/server/server.hpp": "#pragma once\n",
    "http/client/client.cpp": '#include "http/server/server.hpp"\n#include "events/log.hpp"\n',
    "tests/core/id_test.cpp": '#include "core/id.hpp"\n#include "http/server/server.hpp"\n',
    "README.md": "# Title\n[log](docs/log.md#the-log) [web](https://example.org/x) `[no](link.md)`\n",
    "docs/log.md": "# The log\n[up](../README.md) [here](#the-log)\n",
}


class TidyTest(unittest.TestCase):
    def problems(self, **changes):
        """What is found in the clean tree with files added or replaced; names have `__` for `/` and `_dot_` for `.`."""
        files = dict(CLEAN)
        files.update({k.replace("__", "/").replace("_dot_", "."): v for k, v in changes.items()})
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = os.path.join(root, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            return ["%s:%d: %s" % p for p in tidy.check(root)]

    def test_a_clean_tree_has_no_problems(self):
        self.assertEqual(self.problems(), [])

    def test_arrows_against_the_order_are_found(self):
        self.assertEqual(self.problems(core__bad_dot_cpp='\n#include "events/log.hpp"\n'),
                         ["core/bad.cpp:2: an arrow from core to events"])
        self.assertEqual(self.problems(events__bad_dot_cpp='#include "http/server/server.hpp"\n'),
                         ["events/bad.cpp:1: an arrow from events to http"])
        self.assertEqual(self.problems(tests__core__a_dot_hpp="#pragma once\n",
                                       core__bad_dot_cpp='#include "tests/core/a.hpp"\n'),
                         ["core/bad.cpp:1: an arrow from core to tests"])

    def test_an_include_that_is_not_from_the_root_is_found(self):
        self.assertEqual(self.problems(core__bad_dot_cpp='#include "id.hpp"\n'),
                         ['core/bad.cpp:1: includes "id.hpp", which is no file below the root'])

    def test_a_header_that_nobody_includes_is_found(self):
        self.assertEqual(self.problems(core__lonely_dot_hpp="#pragma once\n"),
                         ["core/lonely.hpp:1: is included by nobody"])

    def test_a_header_without_its_guard_is_found(self):
        self.assertEqual(self.problems(core__id_dot_hpp="#include <string>\n"),
                         ["core/id.hpp:1: does not begin with #pragma once"])

    def test_a_source_outside_of_the_rooms_is_found(self):
        self.assertEqual(self.problems(lib__a_dot_cpp=""), ["lib/a.cpp:1: is a source outside of the rooms"])
        self.assertEqual(self.problems(main_dot_cpp=""), ["main.cpp:1: is a source outside of the rooms"])

    def test_long_lines_of_sources_are_found(self):
        self.assertEqual(self.problems(core__a_dot_cpp="//" + "\u00e9" * 118 + "\n"), [])
        self.assertEqual(self.problems(core__a_dot_cpp="//" + "x" * 119 + "\n"),
                         ["core/a.cpp:1: has 121 columns, more than 120"])

    def test_words_that_do_not_belong_here_are_found(self):
        self.assertEqual(self.problems(a_dot_md="x\n" + "TO" + "DO: y\n"),
                         ["a.md:2: says that something is left to do: do it, or open an issue"])
        self.assertEqual(self.problems(a_dot_md="see ../" + "shared/design\n"),
                         ["a.md:1: names a path outside of the project"])
        self.assertEqual(self.problems(script__a="fetch https://py" + "pi.org/simple\n"),
                         ["script/a:1: names the package registry py" + "pi.org"])

    def test_links_that_lead_nowhere_are_found(self):
        self.assertEqual(self.problems(a_dot_md="[a](docs/none.md) [b](docs/log.md#none)\n"),
                         ["a.md:1: links to docs/log.md#none, which is no heading",
                          "a.md:1: links to docs/none.md, which is not there"])

    def test_what_is_not_ours_is_passed_over(self):
        self.assertEqual(self.problems(tests__data__a_dot_json="TO" + "DO", LICENSE="TO" + "DO",
                                       examples__x__a_dot_jsonl="TO" + "DO"), [])


if __name__ == "__main__":
    unittest.main()
