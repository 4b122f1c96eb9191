import json

import pytest

from conftest import invocations
from server import CONTRACT, some_id

V5 = "/api/v5/artifacts/test/"
WRITES = {
    "/test/start": {"eval_id": some_id()},
    "/test/stop": {"test_id": some_id()},
    "/test/complete": {"test_id": some_id()},
    "/test/archive": {"test_ids": [some_id()]},
    "/test/grade": {"invocation_id": some_id(), "full": True},
    "/test/feedback": {"grade_id": some_id(), "tool_call_id": some_id(), "standard_group_id": some_id(), "score": 1},
    "/test/invocation_create": {"test_id": some_id()},
    "/test/invocation_run": {"invocation_id": some_id()},
    "/test/invocation_complete": {"test_id": some_id(), "test_invocation_id": some_id()},
    "/test/invocation_terminate": {"invocation_id": some_id()},
    "/test/invocation_trace": {"invocation_id": some_id()},
    "/test/export": {"test_id": some_id()},
    "/test/decrypt": {"invocation_id": some_id(), "key_id": some_id()},
    V5 + "start": {"benchmark_id": some_id()},
    V5 + "run": {"test_id": some_id(), "test_invocation_id": some_id(), "run_id": some_id()},
    V5 + "end": {"test_id": some_id(), "test_invocation_id": some_id(), "run_id": some_id()},
    V5 + "stop": {"invocation_id": some_id()},
    V5 + "archive": {"test_ids": [some_id()]},
    V5 + "export": {"test_id": some_id()},
}
READS = {
    "/test/get": {"test_id": some_id()},
    "/test/invocations": {"test_id": some_id()},
    "/test/invocation_get": {"invocation_id": some_id()},
    "/test/watch": {"group_id": some_id()},
    "/test/file/download": {"file_id": some_id()},
    "/test/text/download": {"text_id": some_id()},
    "/test/call/download": {"call_id": some_id()},
    V5 + "get": {"test_id": some_id()},
    V5 + "next": {"test_id": some_id()},
}
OPERATIONS = sorted(path for method, path in CONTRACT.operations if method == "POST")
NOT_YET = {"/test/generate"}
SERVED = sorted(set(OPERATIONS) - NOT_YET)


@pytest.mark.parametrize("path", SERVED)
def test_every_operation_wants_an_identity(server, path):
    answer = server.client("").post(path, {}, status=401)
    assert answer.headers["www-authenticate"] == "Bearer" and answer["code"] == "api_key_missing"
    assert server.client("assay_wrong").post(path, {}, status=401)["code"] == "api_key_unknown"


@pytest.mark.parametrize("path", sorted(set(SERVED) - {"/test/benchmark/export"}))  # which takes no field
def test_every_operation_names_bad_fields(admin, path):
    body = {"test_id": 7, "test_ids": [7], "eval_id": "x", "invocation_id": [], "group_id": 1, "id": 1, "eval_id_": 1,
            "grade_id": 1, "test_invocation_id": {}, "search": 5, "page_size": 0, "start_date": "yesterday",
            "history_page": 0, "targets": 1, "entity_id": 1, "draft_id": 1, "page_limit": 0, "type": 1}
    kind = path.split("/")[1]
    body |= {f"{kind}s": [{"name": 1}, 2], f"{kind}_ids": "x", f"{kind}_id": 1}
    answer = admin.post(path, body, status=422)
    assert isinstance(answer["detail"], list) and answer["detail"]
    assert all(set(d) == {"loc", "msg", "type"} and d["loc"][0] == "body" for d in answer["detail"])


@pytest.mark.parametrize("path", sorted(WRITES | READS))
def test_unknown_ids_are_not_found(admin, path):
    admin.post(path, (WRITES | READS)[path], status=404)


def test_another_workspace_is_not_found(other_workspace, admin, catalog, done):
    group = admin.post("/test/get", {"test_id": done["test_id"]})["configs_groups"][0]["group_id"]
    cell = invocations(admin, done["test_id"])[0]
    detail = admin.post("/test/get", {"test_id": done["test_id"]})["invocation_details"][0]
    before = admin.post("/test/get", {"test_id": done["test_id"]}).raw
    for path, body in {
        "/test/get": {"test_id": done["test_id"]},
        "/test/invocations": {"test_id": done["test_id"]},
        "/test/invocation_get": {"invocation_id": cell["invocation_id"]},
        "/test/watch": {"group_id": group},
        "/test/benchmark": {"test_id": done["test_id"]},
        "/test/start": {"eval_id": catalog["eval"]},
        "/test/stop": {"test_id": done["test_id"]},
        "/test/complete": {"test_id": done["test_id"]},
        "/test/archive": {"test_ids": [done["test_id"]]},
        "/test/grade": {"invocation_id": cell["invocation_id"], "full": True},
        "/test/feedback": {"grade_id": cell["grade_id"], "tool_call_id": detail["runs"][0]["call_ids"][0],
                           "standard_group_id": some_id(), "score": 3},
        "/test/invocation_create": {"test_id": done["test_id"]},
        "/test/invocation_run": {"invocation_id": cell["invocation_id"]},
        "/test/invocation_complete": {"test_id": done["test_id"], "test_invocation_id": cell["invocation_id"]},
        "/test/invocation_terminate": {"invocation_id": cell["invocation_id"]},
        "/test/invocation_trace": {"invocation_id": cell["invocation_id"]},
    }.items():
        foreign = other_workspace.post(path, body, status=404)
        assert done["test_id"].encode() not in foreign.raw
    assert other_workspace.send("GET", f"/test/watch?group_id={group}").status == 404
    assert other_workspace.post("/eval/get", {"id": catalog["eval"]})["eval_exists"] is False
    for kind, item in (("eval", catalog["eval"]), ("model", catalog["models"][0])):
        change = other_workspace.post(f"/{kind}/update", {kind + "s": [{"id": item, "name": "mine"}]})
        assert change["results"][0]["success"] is False
        assert other_workspace.post(f"/{kind}/delete", {f"{kind}_ids": [item]})["results"][0]["success"] is False
    assert other_workspace.post("/test/search", {})["total_count"] == 0
    assert admin.post("/test/get", {"test_id": done["test_id"]}).raw == before


def test_roles(with_role, admin, catalog, done):
    learner, auditor, instructor, nobody = map(with_role, ("learner", "auditor", "instructor", "learner"))
    assert learner.post("/test/get", {"test_id": done["test_id"]})
    for client, path in ((learner, "/test/start"), (learner, "/key/search"), (auditor, "/test/stop"),
                         (auditor, "/eval/create"), (instructor, "/key/create"), (instructor, "/profile/update"),
                         (instructor, "/admin/workspace_create")):
        client.post(path, {}, status=403)
    assert auditor.post("/test/benchmark", {"test_id": done["test_id"]})
    started = instructor.post("/test/start", {"eval_id": catalog["eval"], "drive": "manual"})
    assert instructor.post("/test/stop", {"test_id": started["test_id"]})["success"]


def test_departments(with_role, admin, catalog):
    mine = admin.create("department", {"name": "mathematics"})
    other = admin.create("department", {"name": "physics"})
    teacher = with_role("instructor", department_ids=[mine])
    evals = {d: admin.create("eval", {"name": "of a department", "department_ids": [d], "model_ids": catalog["models"],
                                      "scenario_ids": catalog["scenarios"]}) for d in (mine, other)}
    tests = {d: admin.post("/test/start", {"eval_id": e, "drive": "manual"}).body for d, e in evals.items()}
    assert teacher.post("/test/get", {"test_id": tests[mine]["test_id"]})
    for path, body in (("/test/get", {"test_id": tests[other]["test_id"]}),
                       ("/test/stop", {"test_id": tests[other]["test_id"]}),
                       ("/test/complete", {"test_id": tests[other]["test_id"]}),
                       ("/test/invocation_run", {"invocation_id": tests[other]["invocation_id"]}),
                       ("/eval/get", {"id": evals[other]})):
        assert teacher.post(path, body, status=403)["code"] == "other_department"
    seen = {t["test_id"] for t in teacher.post("/test/search", {"page_size": 1000})["tests"]}
    assert tests[mine]["test_id"] in seen and tests[other]["test_id"] not in seen


def test_revoked_key_is_no_key_at_once(server, admin):
    made = admin.post("/admin/api_key_create", {"name": "short-lived"})
    client = server.client(made["api_key"])
    assert client.post("/test/search", {})
    assert admin.post("/admin/api_key_revoke", {"api_key_id": made["api_key_id"], "reason": "test"})["revoked"]
    client.post("/test/search", {}, status=401)
    keys = admin.post("/admin/api_key_list")["api_keys"]
    assert next(k for k in keys if k["api_key_id"] == made["api_key_id"])["revoked_because"] == "test"
    assert made["api_key"] not in json.dumps(keys)


def test_deleted_profile_takes_its_keys_along(server, admin):
    profile = admin.create("profile", {"name": "leaver", "role": "instructor"})
    client = server.client(admin.post("/admin/api_key_create", {"profile_id": profile})["api_key"])
    assert client.post("/test/search", {})
    admin.post("/profile/delete", {"profile_ids": [profile]})
    client.post("/test/search", {}, status=401)


@pytest.mark.parametrize("raw", [b"{", b'{"test_id": 1, "test_id": 2}', b"[1,]", b'{"a": NaN}', b"\xff\xfe",
                                 b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}"])
def test_what_is_no_json_is_malformed(admin, raw):
    assert admin.send("POST", "/test/get", raw).status == 400


def test_transport_errors(admin):
    body = json.dumps({"test_id": some_id()}).encode()
    assert admin.send("POST", "/test/get", body, {"Content-Type": "text/plain"}).status == 415
    assert admin.send("POST", "/test/get", body, {"Content-Type": "application/json; charset=utf-8"}).status == 404
    assert admin.send("GET", "/test/get", check=False).status == 405
    assert admin.send("POST", "/test/nothing", body, check=False).status == 404
    assert admin.send("POST", "/test/get", b" " * (2 << 20)).status == 413
    assert admin.send("POST", "/test/get", b"[1]").status == 422
    assert admin.send("POST", "/test/get", b"").status == 422


def test_x_api_key_is_accepted(admin):
    body = json.dumps({}).encode()
    assert admin.send("POST", "/test/search", body, {"Authorization": None, "X-Api-Key": admin.key}).status == 200


def test_refused_commands_change_nothing(admin, manual):
    before = admin.post("/test/get", {"test_id": manual["test_id"]}).raw
    cell = manual["invocation_id"]
    admin.post("/test/grade", {"invocation_id": cell, "full": True}, status=409)
    admin.post("/test/invocation_complete", {"test_id": some_id(), "test_invocation_id": cell}, status=404)
    admin.post("/test/start", {"eval_id": some_id()}, status=404)
    admin.post("/test/invocation_create", {"test_id": manual["test_id"], "model_id": some_id()}, status=422)
    assert admin.post("/test/get", {"test_id": manual["test_id"]}).raw == before


def test_an_empty_grid_cannot_start(admin):
    empty = admin.create("eval", {"name": "empty"})
    admin.post("/test/start", {"eval_id": empty}, status=422)
