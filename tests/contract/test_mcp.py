"""X-MCP: who wrote through MCP is told wherever the contract has a field for it."""
import pytest

from conftest import finished


@pytest.mark.parametrize("value, mcp", [("1", True), ("true", True), ("0", False), ("", False)])
def test_runs_grades_and_traces_say_it(admin, catalog, value, mcp):
    started = admin.post("/test/start", {"eval_id": catalog["eval"], "drive": "manual",
                                         "model_ids": catalog["models"][:1], "scenario_ids": catalog["scenarios"][:1]})
    cell = started["invocation_id"]
    admin.post("/test/invocation_run", {"invocation_id": cell}, X_MCP=value)
    finished(admin, started["test_id"])
    admin.post("/test/grade", {"invocation_id": cell, "full": True}, X_MCP=value)
    admin.post("/test/invocation_trace", {"invocation_id": cell, "prompt_text": "p"}, X_MCP=value)
    entries = admin.post("/test/get", {"test_id": started["test_id"]})["entries"]
    assert [r["mcp"] for r in entries["runs"]] == [mcp]
    assert entries["grades"][-1]["mcp"] is mcp and entries["groups"][-1]["mcp"] is mcp
