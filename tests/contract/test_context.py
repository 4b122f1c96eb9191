"""Who the caller is and what it may do, and what the API says of itself."""
import json

import pytest

from server import ROOT, some_id

CONTRACT = json.loads((ROOT / "tests/data/contract/glow-test.openapi.json").read_text())


def test_the_administrator_may_do_everything(admin):
    answer = admin.post("/test/context", {})
    profile, may = answer["profile"], answer["caller_permissions"]
    assert answer.headers["x-cache-hit"] == "0" and answer["name"] == "test"
    assert profile["name"] == "administrator" == profile["role"] and profile["role_level"] == 0
    assert profile["is_active"] and profile["is_emulation"] is False
    assert ["test", "start"] in profile["role_permissions"] and "api_key" in profile["artifact_access"]
    assert may["can_create"] and may["can_draft"] and may["has_access"] and may["can_edit"]
    assert may["can_duplicate"] is False and may["disabled_reason"] is None
    assert "artifact" not in answer.body


@pytest.mark.parametrize("role", ["instructor", "auditor", "learner"])
def test_permissions_are_those_that_the_routes_check(with_role, role):
    client = with_role(role)
    profile = client.post("/test/context", {})["profile"]
    held = {tuple(p) for p in profile["role_permissions"]}
    assert profile["role"] == role and profile["role_level"] > 0
    for path, pair in (("/test/search", ("test", "search")), ("/key/search", ("key", "search")),
                       ("/model/search", ("model", "search")), ("/admin/api_key_list", ("api_key", "list"))):
        status = client.send("POST", path, b"{}", check=False).status
        assert (status != 403) == (pair in held), path


def test_context_of_a_test(admin, manual, with_role, other_workspace, catalog):
    ask = lambda **more: admin.post("/test/context", {"entity_id": manual["test_id"], **more})["caller_permissions"]
    pinned = some_id()
    assert ask(snapshot_key=pinned)["can_edit"]
    admin.post("/test/complete", {"test_id": manual["test_id"]})
    after = ask()
    assert after["can_edit"] is False and "completed" in after["disabled_reason"]
    assert ask(snapshot_key=pinned)["can_edit"], "as it was then"
    other_workspace.post("/test/context", {"entity_id": manual["test_id"]}, status=404)
    admin.post("/test/context", {"entity_id": some_id()}, status=404)
    admin.post("/test/context", {"entity_id": 7}, status=422)
    admin.post("/test/context", {"schema": "yes"}, status=422)


def test_context_of_another_departments_test(admin, catalog, with_role):
    law, art = (admin.create("department", {"name": n}) for n in ("law", "art"))
    theirs = admin.create("eval", {"name": "law's", "model_ids": catalog["models"][:1], "department_ids": [law],
                                   "scenario_ids": catalog["scenarios"][:1], "rubric_ids": [catalog["rubric"]]})
    test = admin.post("/test/start", {"eval_id": theirs, "drive": "manual"})["test_id"]
    client = with_role("instructor", department_ids=[art])
    client.post("/test/context", {"entity_id": test}, status=403)
    assert client.post("/test/context", {})["profile"]["department_ids"] == [art]


def test_schema_describes_the_routes(admin):
    body = admin.post("/test/context", {"schema": True}).body
    operations = {o["path"]: o for o in body["api_operations"]}
    for path in ("/test/start", "/test/get", "/test/context", "/test/draft", "/test/invocation_draft", "/test/docs"):
        assert operations[path]["permission"][0] == "test" and operations[path]["allowed"], path
    # What a described request field is called and whether it is required is what the contract says.
    for path in ("/test/start", "/test/title", "/test/problem", "/test/draft", "/test/complete"):
        schema = CONTRACT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        schema = CONTRACT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        described = {p["name"]: p["required"] for p in operations[path]["params"]}
        general = {"idempotency_key", "soft", "accept"}
        assert set(schema["properties"]) - general <= set(described), path
        assert {n for n, required in described.items() if required} == set(schema.get("required", [])) - general
    assert {e["name"] for e in body["entries"]} >= {"invocation", "run", "grade", "feedback", "draft", "group"}
    assert {r["name"] for r in body["resources"]} >= {"eval", "model", "scenario", "rubric", "agent", "key"}
    columns = {c["name"]: c["type"] for c in body["artifact"]["materialized_view"]["columns"]}
    assert columns["started_at"] == "date-time" and columns["workspace"] == "uuid"
    assert {p["name"] for p in body["permission_docs"]} >= {"start", "get", "draft"}
    assert body["page_metadata"]["new"]["title"]


def test_docs_is_the_schema_alone(admin):
    docs = admin.post("/test/docs", {}).body
    assert docs["api_operations"] == admin.post("/test/context", {"schema": True})["api_operations"]
    assert docs["permissions"] and "profile" not in docs
    admin.post("/test/docs", {"entity_id": some_id()}, status=404)


def test_every_operation_may_be_known(admin):
    described = {(o["method"], o["path"]) for o in admin.post("/test/docs", {})["api_operations"]}
    for method, path in described:
        if path.startswith("/test/") and "{" not in path:
            assert (method.lower() in CONTRACT["paths"].get(path, {})), f"{method} {path} is not in the contract"
