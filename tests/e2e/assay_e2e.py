"""What the end-to-end tests share. Standard library only."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
GSM8K = SOURCE / "examples" / "gsm8k"
EXPECTED = {"6b_finetuning": 286, "6b_verification": 515, "175b_finetuning": 458, "175b_verification": 742}
QUESTIONS = 1319
CELLS = QUESTIONS * len(EXPECTED)


def check(holds, what):
    """Ends the test, saying what does not hold."""
    if not holds:
        sys.exit(f"FAILED: {what}")


class Assay:
    """The program under test on a data directory of its own."""

    def __init__(self, program, root):
        self.program = str(pathlib.Path(program).resolve())
        self.data = pathlib.Path(root) / "data"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("ASSAY_")}

    def command(self, *args):
        return [self.program, *args, "--data", str(self.data)]

    def run(self, *args, expect=0, timeout=300):
        """Runs it to its end; `expect` is the exit code, None for any."""
        done = subprocess.run(self.command(*args), env=self.env, capture_output=True, text=True, timeout=timeout)
        check(
            expect is None or done.returncode == expect,
            f"assay {' '.join(args)} exited with {done.returncode}, not {expect}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}",
        )
        return done

    def json(self, *args, **kwargs):
        return json.loads(self.run(*args, "--json", **kwargs).stdout)

    def start(self, *args, **kwargs):
        return subprocess.Popen(self.command(*args), env=self.env, **kwargs)


class Server:
    """assayd on the data directory of an Assay; stopped at the end of its `with`, which a clean end is part of."""

    def __init__(self, program, assay, *args):
        self.process = subprocess.Popen(
            [program, "--data", str(assay.data), "--listen", "127.0.0.1:0", "--recordings", str(GSM8K), *args],
            env=assay.env,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = None
        for line in self.process.stdout:
            if found := re.search(r"listening on (https?://\S+)", line):
                self.url = found.group(1)
                break
        check(self.url, "assayd does not say where it listens")

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure:
            self.process.kill()
            self.process.wait()
        else:
            self.stop()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(timeout=60) == 0, "assayd did not end well")


def eventually(holds, what, seconds=60):
    """Waits for what must happen."""
    end = time.monotonic() + seconds
    while not holds():
        check(time.monotonic() < end, what)
        time.sleep(0.05)


def check_gsm8k(benchmark):
    """The exactly right answers, known beforehand."""
    found = {m["model_name"]: (m["passed"], m["graded"], m["cells"], m["open"]) for m in benchmark["models"]}
    wanted = {name: (passed, QUESTIONS, QUESTIONS, 0) for name, passed in EXPECTED.items()}
    check(found == wanted, f"the table says {found}, not {wanted}")
    check(benchmark["complete"] is True, "the benchmark is not complete")


def scratch():
    """A directory that goes with the test."""
    path = tempfile.mkdtemp(prefix="assay-e2e-")
    return path, lambda: shutil.rmtree(path, ignore_errors=True)
