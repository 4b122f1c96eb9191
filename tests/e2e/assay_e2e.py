"""What the end-to-end tests share. Standard library only."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

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
        done = subprocess.run(self.command(*args), env=self.env, capture_output=True, text=True, timeout=timeout)
        check(
            done.returncode == expect,
            f"assay {' '.join(args)} exited with {done.returncode}, not {expect}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}",
        )
        return done

    def json(self, *args, **kwargs):
        return json.loads(self.run(*args, "--json", **kwargs).stdout)

    def start(self, *args, **kwargs):
        return subprocess.Popen(self.command(*args), env=self.env, **kwargs)


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
