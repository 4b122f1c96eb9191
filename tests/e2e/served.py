"""assay as a client of assayd: the same numbers, the same verbs, over HTTP. served.py ASSAY ASSAYD"""

import json
import os
import subprocess
import sys
import time

from assay_e2e import GSM8K, Assay, Server, check, check_gsm8k, scratch


def watched_events(assay, url, test):
    """The kinds of events that `assay tests watch` prints until the test is completed."""
    watch = assay.start("tests", "watch", test, "--url", url, "--json", stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    assay.run("tests", "complete", test, "--url", url)
    out, _ = watch.communicate(timeout=30)
    check(watch.returncode == 0, "watch did not end with the test")
    return [json.loads(line)["event_type"] for line in out.splitlines()]


def main(program, server_program):
    root, clean = scratch()
    try:
        assay = Assay(program, root)
        with Server(server_program, assay) as server:
            url = ["--url", server.url]
            result = assay.json("run", str(GSM8K / "eval.yaml"), *url)
            check_gsm8k(result["benchmark"])
            test = result["test_id"]
            check("5276 of 5276 cells done" in assay.run("tests", "get", test, *url).stdout, "tests get over HTTP")

            whole = assay.json("tests", "get", test, *url)
            check(len(whole["invocations"]) == 5276, f"{len(whole['invocations'])} invocations, not 5276")

            held = assay.run("tests", "list", expect=1)
            check(f"assayd at {server.url}" in held.stderr and f"--url {server.url}" in held.stderr, held.stderr)

            assay.env["ASSAY_URL"] = server.url
            check(assay.json("tests", "list")["total_count"] == 1, "ASSAY_URL is not read")
            del assay.env["ASSAY_URL"]

            check("test.complete.completed" in watched_events(assay, server.url, test), "the completion was not seen")
            lost = assay.run("tests", "watch", "0192f0c0-0000-7000-8000-000000000000", *url, expect=1)
            check("no such" in lost.stderr, lost.stderr)
            denied = assay.run("tests", "list", *url, "--key", "assay_wrong", expect=1)
            check(denied.stderr.startswith("assay: "), denied.stderr)
            assay.run("tests", "list", "--url", "127.0.0.1:1", expect=2)
            assay.run("tests", "list", "--url", "http://127.0.0.1:1", expect=1)

        # Without the server the directory is free again, and holds what it recorded.
        check(assay.json("tests", "get", test, "--summary")["status"] == "completed", "the test is not completed")
        assay.run("audit", "verify")
        check(not os.path.exists(assay.data / "holder"), "the holder file was left")
    finally:
        clean()


if __name__ == "__main__":
    main(*sys.argv[1:])
