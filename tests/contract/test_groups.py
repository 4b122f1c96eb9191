"""Groups of runs, their titles, their list; problems that people report."""
import datetime
import time

import pytest

from conftest import invocations
from server import some_id


def group_of(client, test_id):
    return client.post("/test/get", {"test_id": test_id})["invocations"][0]["group_id"]


def test_a_tests_group_has_its_runs(admin, catalog, done):
    group = group_of(admin, done["test_id"])
    body = admin.post("/test/group", {"group_id": group}).body
    assert body["group_id"] == group and body["group_exists"] and body["name"] == "gsm8k"
    assert len(body["runs"]) == 8 and body["total_message_count"] == 16 and not body["truncated"]
    assert {m["id"] for m in body["models"]} == set(catalog["models"])
    assert all(m["name"] for m in body["models"] + body["agents"] + body["profiles"])
    run = body["runs"][0]
    assert [m["role"] for m in run["messages"]] == ["user", "assistant"]
    assert run["model_id"] in catalog["models"] and run["messages"][1]["calls"][0]["ledger_artifact"] == "invocation"
    assert "content" not in run["messages"][0]


def test_a_group_of_its_own_is_used_again(with_role):
    client = with_role("instructor")
    window = None
    while window != time.time() // 1800:  # both within one half hour
        window = time.time() // 1800
        first = client.post("/test/group", {}).body
        again = client.post("/test/group").body
    assert again["group_id"] == first["group_id"] and again["group_exists"]
    assert first["runs"] == [] and first["name"] is None and first["profiles"][0]["name"] == "a instructor"
    assert with_role("instructor").post("/test/group")["group_id"] != first["group_id"]


def test_group_errors(admin, done, with_role, other_workspace):
    group = group_of(admin, done["test_id"])
    other_workspace.post("/test/group", {"group_id": group}, status=404)
    admin.post("/test/group", {"group_id": some_id()}, status=404)
    admin.post("/test/group", {"group_id": "x"}, status=422)
    with_role("learner").post("/test/group", {"group_id": group}, status=403)


def test_snapshot_key_pins_a_group(admin, manual):
    group, pinned = group_of(admin, manual["test_id"]), some_id()
    asked = {"group_id": group, "snapshot_key": pinned}
    before = admin.post("/test/group", asked).body
    assert before["snapshot_key"] == pinned
    admin.post("/test/title", {"group_id": group, "title": "later"})
    assert admin.post("/test/group", asked).raw == admin.post("/test/group", asked).raw
    assert admin.post("/test/group", asked)["name"] == before["name"]
    assert admin.post("/test/group", {"group_id": group})["name"] == "later"


def test_title_renames(admin, manual):
    group = group_of(admin, manual["test_id"])
    first = admin.post("/test/title", {"group_id": group, "title": "Sprint № 4"})
    assert first["title"] == "Sprint № 4" and first["group_id"] == group
    assert "generations" in first.headers["x-invalidate-tags"]
    second = admin.post("/test/title", {"group_id": group, "title": "Sprint 5"}).body
    assert second["group_name_id"] != first["group_name_id"]
    assert admin.post("/test/group", {"group_id": group})["name"] == "Sprint 5"
    assert admin.post("/test/get", {"test_id": manual["test_id"], "summary": True})["test"]["test_id"]


def test_title_errors(admin, manual, with_role, other_workspace):
    group = group_of(admin, manual["test_id"])
    for client, status in ((other_workspace, 404), (with_role("learner"), 403)):
        client.post("/test/title", {"group_id": group, "title": "t"}, status=status)
    admin.post("/test/title", {"group_id": some_id(), "title": "t"}, status=404)
    for body in ({"group_id": group}, {"title": "t"}, {"group_id": group, "title": ""},
                 {"group_id": group, "title": "t" * 501}, {"group_id": group, "title": 1}):
        admin.post("/test/title", body, status=422)
    admin.post("/test/complete", {"test_id": manual["test_id"]})
    assert admin.post("/test/title", {"group_id": group, "title": "t"}, status=409)["code"] == "test_completed"


def test_a_title_is_told_to_who_watches(admin, manual):
    stream = admin.watch(f"test_id={manual['test_id']}")
    admin.post("/test/title", {"group_id": group_of(admin, manual["test_id"]), "title": "seen"})
    last = stream.until("test.title.completed")[-1][1]
    stream.close()
    assert last["payload"]["title"] == "seen"


def test_generations_lists_groups(admin, manual, other_workspace):
    group = group_of(admin, manual["test_id"])
    name = some_id()
    admin.post("/test/title", {"group_id": group, "title": f"The {name}"})
    find = lambda **asked: admin.post("/test/generations", {"page_limit": 1000, **asked}).body
    everything = find()
    assert everything["actor_name"] == "administrator"
    assert everything["total_count"] == len(everything["items"])
    dates = [i["created_at"] for i in everything["items"]]
    assert dates == sorted(dates, reverse=True)
    item, = find(search=name.upper())["items"]
    assert item["group_id"] == group and item["group_name"] == f"The {name}"
    assert find(page_limit=1, page_offset=1)["items"] == everything["items"][1:2]
    assert find(page_limit=1)["total_count"] == everything["total_count"]
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    assert find(date_from=today, date_to=today)["total_count"] == everything["total_count"]
    assert find(date_to="2020-01-01")["items"] == []
    assert group not in {i["group_id"] for i in other_workspace.post("/test/generations", {})["items"]}
    admin.post("/test/generations", {"page_limit": 0}, status=422)
    admin.post("/test/generations", {"date_to": "x"}, status=422)


def test_generations_keep_to_departments(admin, catalog, with_role):
    law = admin.create("department", {"name": "law"})
    art = admin.create("department", {"name": "art"})
    hidden = admin.create("eval", {"name": "law's", "model_ids": catalog["models"][:1], "department_ids": [law],
                                   "scenario_ids": catalog["scenarios"][:1], "rubric_ids": [catalog["rubric"]]})
    group = group_of(admin, admin.post("/test/start", {"eval_id": hidden, "drive": "manual"})["test_id"])
    seen = lambda d: {i["group_id"] for i in with_role("instructor", department_ids=[d]).post(
        "/test/generations", {"page_limit": 1000})["items"]}
    assert group in seen(law) and group not in seen(art)
    outsider = with_role("instructor", department_ids=[art])
    outsider.post("/test/group", {"group_id": group}, status=403)
    outsider.post("/test/title", {"group_id": group, "title": "t"}, status=403)


@pytest.mark.parametrize("kind", ["feature", "bug", "question", "other"])
def test_problem_is_taken(admin, kind):
    made = admin.post("/test/problem", {"type": kind, "message": "ü" * 1000}).body
    assert made["problem_id"] and made["success"] and made["message"]


def test_problem_is_reported_once(admin):
    asked = {"type": "bug", "message": "m", "idempotency_key": some_id()}
    assert admin.post("/test/problem", asked).raw == admin.post("/test/problem", asked).raw
    admin.post("/test/problem", {**asked, "message": "other"}, status=422)


@pytest.mark.parametrize("body", [{}, {"type": "bug"}, {"message": "m"}, {"type": "rant", "message": "m"},
                                  {"type": "bug", "message": "m" * 1001}, {"type": "bug", "message": ""},
                                  {"type": 1, "message": "m"}])
def test_problem_errors(admin, with_role, body):
    admin.post("/test/problem", body, status=422)
    with_role("learner").post("/test/problem", {"type": "bug", "message": "m"}, status=403)
