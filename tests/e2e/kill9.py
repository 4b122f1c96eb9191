"""kill -9 at random moments of a run over HTTP: every restart resumes, nothing is lost, nothing recorded is asked again.

kill9.py PROGRAM [KILLS] [SEED]
"""

import json
import random
import re
import subprocess
import sys
import time
import urllib.request

from assay_e2e import CELLS, GSM8K, Assay, check, check_gsm8k, scratch

IN_FLIGHT = 8
LATENCY = "25ms"  # 5,276 cells take some 16 s, so that 20 kills fall into the run
WORKING = 0.85  # share of the lives that end while cells are asked; the others may end anywhere, also while starting
LIFE_S = 0.6


class Mock:
    """`assay mock`, with what it counted."""

    def __init__(self, program):
        recordings = str(GSM8K / "example_model_solutions.jsonl")
        self.process = subprocess.Popen(
            [program, "mock", "--recordings", recordings, "--listen", "127.0.0.1:0", "--latency", LATENCY],
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        found = re.match(r"listening on (http://\S+)/v1", line)
        check(found, f"the mock says {line!r}")
        self.root = found.group(1)

    def requests(self):
        with urllib.request.urlopen(self.root + "/stats", timeout=10) as answer:
            return json.load(answer)["requests"]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)


def done_cells(assay):
    """How many cells of the newest test have ended; 0 before there is one."""
    tests = assay.json("tests", "list", "--limit", "1")["tests"]
    if not tests:
        return 0
    return assay.json("tests", "get", tests[0]["test_id"], "--summary")["status_summary"]["completed"]


def kill_once(assay, mock, file, rng, number):
    asked = mock.requests()
    process = assay.start("run", file, "--quiet", "--in-flight", str(IN_FLIGHT), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if rng.random() < WORKING:
        while mock.requests() == asked and process.poll() is None:
            time.sleep(0.01)
    time.sleep(rng.uniform(0, LIFE_S))
    over = process.poll()
    process.kill()
    _, words = process.communicate(timeout=30)
    check(over is None, f"the run ended by itself before kill {number} with {over}: {words.decode()[-2000:]}")


def main(program, kills="20", seed=None):
    seed = int(seed) if seed else random.SystemRandom().randrange(10**9)
    print(f"seed {seed}", flush=True)
    rng = random.Random(seed)
    root, clean = scratch()
    mock = None
    try:
        assay = Assay(program, root)
        mock = Mock(assay.program)
        assay.env["ASSAY_MOCK_URL"] = mock.root + "/v1"
        file = str(GSM8K / "eval-http.yaml")
        before = 0
        for number in range(int(kills)):
            kill_once(assay, mock, file, rng, number)
            if number % 5 == 4:
                now = done_cells(assay)
                print(f"{number + 1} kills, {now} cells done", flush=True)
                check(now >= before, f"{before} cells were done before, {now} are now")
                before = now
        last = assay.json("run", file, "--in-flight", "64")
        check(last["resumed"], "the last run does not say that it resumed")
        check_gsm8k(last["benchmark"])
        requests = mock.requests()
        allowed = CELLS + IN_FLIGHT * int(kills)
        print(f"{requests} requests for {CELLS} cells, {allowed} allowed", flush=True)
        check(CELLS <= requests <= allowed, f"{requests} requests were made, at most {allowed} may be")
        verified = assay.json("audit", "verify")
        check(verified["damage"] is None, f"audit verify says {verified}")
        assay.run("audit", "replay", "--quiet")
        check(assay.json("tests", "list")["total_count"] == 1, "there is more than one test")
    finally:
        if mock:
            mock.stop()
        clean()


if __name__ == "__main__":
    main(*sys.argv[1:])
