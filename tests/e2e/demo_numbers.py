"""The demonstration says what is known of it beforehand: demo_numbers.py PROGRAM"""

import sys

from assay_e2e import CELLS, GSM8K, Assay, check, check_gsm8k, scratch


def main(program):
    root, clean = scratch()
    try:
        assay = Assay(program, root)
        file = str(GSM8K / "eval.yaml")
        first = assay.json("run", file, "--fail-under", "accuracy(175b_verification) >= 0.55")
        check_gsm8k(first["benchmark"])
        check(not first["resumed"], "the first run says that it was resumed")
        check(first["fail_under"][0]["met"], "742 of 1319 are at least 0.55")
        pairs = {(c["model_a_name"], c["model_b_name"]): c for c in first["benchmark"]["comparisons"]}
        check(len(pairs) == 6, f"{len(pairs)} pairs are compared, not 6")
        best = pairs[("6b_finetuning", "175b_verification")]
        check(best["verdict"] == "better" and best["n"] == 1319, f"the comparison says {best}")

        # A demand that is not met, in the table for people; nothing is asked or made twice.
        text = assay.run("run", file, "--reuse", "--fail-under", "accuracy(6b_finetuning) >= 0.5", expect=1).stdout
        for passed in (286, 515, 458, 742):
            check(f" {passed} " in text, f"{passed} is not in the table:\n{text}")
        check("NOT MET" in text, f"the demand is not named:\n{text}")
        check(all(len(line) <= 80 for line in text.splitlines() if "assay" not in line), f"wider than 80 columns:\n{text}")
        scenarios = assay.json("scenarios", "search", "--limit", "1")
        check(scenarios["total_count"] == 1319, f"{scenarios['total_count']} scenarios are in the catalog, not 1319")
        tests = assay.json("tests", "list")
        check(tests["total_count"] == 2, f"{tests['total_count']} tests, not 2")

        verified = assay.json("audit", "verify")
        check(verified["damage"] is None and verified["events"] >= 2 * CELLS, f"audit verify says {verified}")
        assay.run("audit", "replay", "--quiet")
        assay.run("views", "rebuild")
        again = assay.json("tests", "get", first["test_id"], "--summary")
        check(again["status_summary"]["completed"] == CELLS, f"after the rebuild: {again['status_summary']}")
    finally:
        clean()


if __name__ == "__main__":
    main(*sys.argv[1:])
