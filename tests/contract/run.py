#!/usr/bin/env python3
"""Runs the contract tests: run.py BUILD_DIR ASSAYD [pytest arguments].

Makes a virtual environment below the build directory with what requirements.txt pins. Exits with 77 (skipped, to
ctest) when that is not possible, e.g. without a network.
"""
import os
import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77


def environment(build: pathlib.Path) -> pathlib.Path | None:
    """The interpreter of an environment that has the pinned packages; None if there can be none."""
    root = build / "contract-venv"
    wanted = (HERE / "requirements.txt").read_text()
    python = root / "bin" / "python"
    stamp = root / "installed.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    try:
        venv.create(root, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                        "--retries", "1", "--timeout", "20", "-r", HERE / "requirements.txt"], check=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        print(f"no environment for the contract tests: {problem}")
        return None
    stamp.write_text(wanted)
    return python


def main() -> int:
    build, assayd = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    python = environment(build)
    if python is None:
        return SKIPPED
    variables = dict(os.environ, ASSAYD=str(assayd), PYTHONDONTWRITEBYTECODE="1")
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE), *sys.argv[3:]]
    return subprocess.run(command, env=variables).returncode


if __name__ == "__main__":
    sys.exit(main())
