"""The command line as people use it, on a tiny evaluation with numbers known beforehand: cli.py PROGRAM"""

import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

from assay_e2e import Assay, check, scratch

QUESTIONS = 40
# Of 40 questions "good" answers all, "half" every other one, "bad" none; "silent" has no recording at all.
PASSED = {"good": 40, "half": 20, "bad": 0}

EVAL = """name: sums
providers:
  - {{name: p, kind: {kind}}}
models: [good, half, bad]
agent: {{name: plain}}
scenarios: {{file: cases.jsonl, map: {{question: question, expected: answer}}}}
graders:
  - {{kind: numeric, name: sum}}
"""


def write_files(root):
    root = pathlib.Path(root)
    with open(root / "cases.jsonl", "w") as cases, open(root / "answers.jsonl", "w") as answers:
        for i in range(QUESTIONS):
            question = f"What is {i} + 1?"
            right, wrong = f"A: {i + 1}", f"A: {i + 2}"
            cases.write(json.dumps({"question": question, "answer": f"#### {i + 1}"}) + "\n")
            solutions = {"good": right, "half": right if i % 2 == 0 else wrong, "bad": wrong}
            answers.write(json.dumps({"question": question, **{m: {"solution": s} for m, s in solutions.items()}}) + "\n")
    (root / "eval.yaml").write_text(EVAL.format(kind="recorded, file: answers.jsonl"))
    (root / "http.yaml").write_text(EVAL.format(kind="openai, base_url: '${ASSAY_MOCK_URL}'"))


def passed(result):
    return {m["model_name"]: m["passed"] for m in result["benchmark"]["models"]}


def test_run(assay, root):
    first = assay.json("run", f"{root}/eval.yaml")
    check(passed(first) == PASSED, f"passed: {passed(first)}")
    check(first["benchmark"]["complete"], "not complete")
    second = assay.json("run", f"{root}/eval.yaml", "--reuse", "--limit", "10")
    check(passed(second) == {"good": 10, "half": 5, "bad": 0}, f"of 10, passed: {passed(second)}")
    check(second["test_id"] != first["test_id"], "a finished run was taken for an unfinished one")
    check(all(m["reused"] == 10 for m in second["benchmark"]["models"]), "answers were not taken from the log")
    quiet = assay.run("run", f"{root}/eval.yaml", "--quiet")
    check(quiet.stderr == "", f"--quiet says {quiet.stderr!r}")
    check(re.search(r"^good +40 +40 +100.0 % +91.2 - 100.0 ", quiet.stdout, re.M), quiet.stdout)
    loud = assay.run("run", f"{root}/eval.yaml")
    check(f"assayd --data {assay.data}" in loud.stdout, "the command that serves it is missing")
    check("assay tests get" in loud.stdout, "the command that looks at it is missing")
    return first["test_id"]


def test_gates(assay, root):
    file = f"{root}/eval.yaml"
    assay.run("run", file, "--fail-under", "accuracy(good) >= 1", "--fail-under", "pass_rate(half) >= 50 %")
    lost = assay.run("run", file, "--fail-under", "accuracy(good) >= 1", "--fail-under", "accuracy(half) > 0.5", expect=1)
    check("NOT MET" in lost.stdout and "met " in lost.stdout, lost.stdout)
    assay.run("run", file, "--fail-under", "accuracy_low(good) >= 0.95", expect=1)


def test_usage(assay, root):
    file = f"{root}/eval.yaml"
    for args, said in [
        ((), "required"),
        (("nonsense",), "nonsense"),
        (("run",), "FILE"),
        (("run", file, "--nonsense"), "nonsense"),
        (("run", file, "--limit", "0"), "limit"),
        (("run", file, "--fail-under", "accuracy(good) = 1"), ">= or >"),
        (("run", file, "--fail-under", "accuracy(other) >= 1"), "no model 'other'"),
        (("tests", "get"), "TEST is missing"),
        (("tests", "get", "--body", "{"), "--body"),
        (("tests", "start", "x", "--repeats", "many"), "--repeats"),
        (("admin", "reset"), "--yes"),
    ]:
        done = assay.run(*args, expect=2)
        check(said in done.stderr + done.stdout, f"{args}: {done.stderr} {done.stdout}")
    bad = pathlib.Path(root) / "bad.yaml"
    bad.write_text("name: x\nmodles: [a]\n")
    done = assay.run("run", str(bad), expect=2)
    check("bad.yaml:2: modles: is not a key that is known here; did you mean 'models'?" in done.stderr, done.stderr)
    check(not assay.data.exists(), "a usage error made a data directory")


def every_help(assay):
    """--help of every verb names an example, and the options of all verbs."""
    todo = [[]]
    while todo:
        verb = todo.pop()
        text = assay.run(*verb, "--help").stdout
        check("Example" in text, f"assay {' '.join(verb)} --help has no example")
        check("--json" in assay.run("--help").stdout, "--json is not explained")
        for block in re.findall(r"^(?:Subcommands|Catalog):\n((?:  .*\n?)+)", text, re.M):
            for name in re.findall(r"^  (\S+)", block, re.M):
                todo.append(verb + [name])


def test_verbs(assay, root, test):
    shown = assay.run("tests", "get", test).stdout
    check("120 of 120 cells done" in shown and "half" in shown, shown)
    listed = assay.json("tests", "list", "--limit", "2")
    check(len(listed["tests"]) == 2 and listed["total_count"] > 2, f"{listed}")
    cells = assay.json("tests", "invocations", test, "--limit", "1000")
    check(len(cells["data"]) == 120, f"{len(cells['data'])} invocations")
    cell = cells["data"][0]["invocation_id"]
    body = json.dumps({"invocation_id": cell})
    one = assay.json("tests", "invocation", "get", "--body", body)
    check(one["invocation_id"] == cell, f"{one}")
    check(assay.json("tests", "invocation", "get", cell) == one, "--body and the word differ")
    assay.run("tests", "invocation", "trace", cell)
    graded = assay.json("tests", "grade", cell, "--full")
    check(graded["passed"] is True, f"{graded}")
    assay.run("tests", "get", "0192f0c0-0000-7000-8000-000000000000", expect=1)

    made = assay.json("scenarios", "create", "--item", '{"name": "mine", "problem_statement": "1+1?"}')
    check(made["results"][0]["success"], f"{made}")
    mine = made["results"][0]["scenario_id"]
    check("mine" in assay.run("scenarios", "search", "--name", "mine").stdout, "search does not find it")
    assay.run("scenarios", "update", "--item", json.dumps({"id": mine, "name": "yours"}))
    check(assay.json("scenarios", "get", mine)["scenario"]["name"] == "yours", "not renamed")
    assay.run("scenarios", "delete", mine)
    check(assay.json("scenarios", "search", "--name", "yours")["total_count"] == 0, "not deleted")

    key = assay.json("admin", "api-key", "create", "ci")
    check(key["api_key"].startswith("assay_"), f"{key}")
    check(len(assay.json("admin", "api-key", "list")["api_keys"]) == 2, "two keys")
    assay.run("tests", "list", "--key", key["api_key"])
    assay.run("admin", "api-key", "revoke", key["api_key_id"], "--reason", "over")
    assay.run("tests", "list", "--key", key["api_key"], expect=1)
    assay.run("admin", "workspace", "create", "physics")
    check(len(assay.json("admin", "workspace", "list")["workspaces"]) == 2, "two workspaces")

    assay.run("tests", "complete", test)
    done = assay.run("tests", "grade", cell, "--full", expect=1)
    check("complete" in done.stderr, done.stderr)
    assay.run("tests", "archive", test)
    ids = [t["test_id"] for t in assay.json("tests", "list")["tests"]]
    check(test not in ids, "an archived test is listed")


def test_interrupted(assay, root):
    """Ctrl-C keeps what is done; the printed command goes on and asks nothing again."""
    mock = subprocess.Popen(
        [assay.program, "mock", "--recordings", f"{root}/answers.jsonl", "--listen", "127.0.0.1:0", "--latency", "50ms"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = re.match(r"listening on (\S+)", mock.stdout.readline()).group(1)
        assay.env["ASSAY_MOCK_URL"] = url
        process = assay.start("run", f"{root}/http.yaml", "--in-flight", "4", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(0.7)
        # The directory is taken: the message names by whom.
        held = assay.run("tests", "list", expect=1)
        check(f"assay run (pid {process.pid})" in held.stderr, held.stderr)
        check("assay run" in assay.run("admin", "reset", "--yes", expect=1).stderr, "reset of a held directory")
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=30)
        check(process.returncode == 130, f"exit code {process.returncode}: {words}")
        found = re.search(r"stopped; (\d+) of 120 cells are done and kept. To go on:\n  assay (run .*)\n", words)
        check(found and 0 < int(found.group(1)) < 120, words)
        again = subprocess.run(
            [assay.program, *found.group(2).split(), "--json"], env=assay.env, capture_output=True, text=True, timeout=60
        )
        check(again.returncode == 0, again.stderr)
        result = json.loads(again.stdout)
        check(result["resumed"], "not resumed")
        check(passed(result) == PASSED, f"{passed(result)}")
        import urllib.request

        with urllib.request.urlopen(url[: -len("/v1")] + "/stats", timeout=10) as answer:
            stats = json.load(answer)
        check(stats["requests"] == 120, f"after a clean stop nothing is asked twice: {stats}")
    finally:
        mock.terminate()
        mock.wait(timeout=10)


def test_audit(assay):
    whole = assay.json("audit", "verify")
    check(whole["damage"] is None and whole["commits"] == whole["sound"], f"{whole}")
    check("whole:" in assay.run("audit", "verify").stdout, "words")
    replayed = assay.json("audit", "replay")
    check(all(v["built"] and v["different"] == 0 for v in replayed["views"]), f"{replayed}")
    check(sum(v["rows"] for v in replayed["views"]) > 500, "too few rows were compared")
    names = [v["name"] for v in assay.json("views", "list")["views"]]
    check("benchmark" in names, f"{names}")
    assay.run("views", "rebuild", "benchmark", "cells")
    assay.run("views", "rebuild", "nonsense", expect=1)
    counted = assay.json("log", "stats")
    check(counted["commits"] == whole["commits"] and counted["events"] == whole["events"], f"{counted}")
    lines = assay.run("log", "dump", "--json", "--from", "1", "--to", "4").stdout.splitlines()
    check([json.loads(line)["position"] for line in lines] == [1, 2, 3], "log dump")
    check("workspace.created" in assay.run("log", "dump", "--to", "1").stdout, "log dump for people")

    # Whichever byte of the log's files is flipped: verify says so, with a position, or the byte meant nothing.
    rng = random.Random(20261121)
    files = [f for f in (assay.data / "db").iterdir() if f.suffix in (".sst", ".log") and f.stat().st_size > 4000]
    found = 0
    for _ in range(12):
        file = rng.choice(files)
        offset = rng.randrange(file.stat().st_size)
        kept = file.read_bytes()
        file.write_bytes(kept[:offset] + bytes([kept[offset] ^ 1]) + kept[offset + 1 :])
        done = subprocess.run(assay.command("audit", "verify"), env=assay.env, capture_output=True, text=True, timeout=60)
        check(done.returncode in (0, 1), f"exit code {done.returncode}: {done.stderr}")
        found += bool(re.search(r"DAMAGED at position \d+", done.stdout))
        file.write_bytes(kept)
    check(found >= 3, f"only {found} of 12 flipped bytes were found")
    assay.run("audit", "verify")


def test_reset(assay):
    old = (assay.data / "admin.key").read_text().strip()
    assay.run("tests", "list", "--key", old)
    (assay.data / "admin.key").unlink()
    check("assay admin reset" in assay.run("tests", "list", expect=1).stderr, "how to get another key")
    assay.run("admin", "reset", "--yes")
    assay.run("tests", "list")
    assay.run("tests", "list", "--key", old, expect=1)


def main(program):
    root, clean = scratch()
    try:
        write_files(root)
        assay = Assay(program, root)
        check("assay " in assay.run("--version").stdout, "--version")
        test_usage(assay, root)
        every_help(assay)
        test = test_run(assay, root)
        check(os.stat(assay.data / "admin.key").st_mode & 0o777 == 0o600, "admin.key is readable by others")
        test_gates(assay, root)
        test_verbs(assay, root, test)
        test_interrupted(assay, root)
        test_audit(assay)
        test_reset(assay)
    finally:
        clean()


if __name__ == "__main__":
    main(*sys.argv[1:])
