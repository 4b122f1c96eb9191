"""Writes that wait to be accepted: soft, then accept with the same key."""
import pytest

from conftest import invocations
from server import some_id


def status_of(client, test):
    return client.post("/test/get", {"test_id": test, "summary": True})["status"]


def requests(client, started):
    """(path, body, what tells whether it took place) of every operation that can be staged."""
    test, cell = started["test_id"], started["invocation_id"]
    group = invocations(client, test)[0]["group_id"]
    summary = lambda: client.post("/test/get", {"test_id": test, "summary": True})["status_summary"]
    yield "/test/invocation_trace", {"invocation_id": cell, "prompt_text": "p"}, lambda: len(
        client.post("/test/get", {"test_id": test})["entries"]["groups"])
    yield "/test/invocation_run", {"invocation_id": cell}, lambda: summary()["running"]
    yield "/test/invocation_complete", {"test_id": test, "test_invocation_id": cell}, lambda: summary()["completed_cells"]
    yield "/test/title", {"group_id": group, "title": "staged"}, lambda: client.post(
        "/test/group", {"group_id": group})["name"]
    yield "/test/draft", {"name": some_id()}, lambda: len(client.post("/test/drafts", {"page_limit": 1000})["entries"])
    yield "/test/stop", {"test_id": test}, lambda: status_of(client, test)
    yield "/test/complete", {"test_id": test}, lambda: status_of(client, test)
    yield "/test/archive", {"test_ids": [test], "archived": True}, lambda: client.post(
        "/test/get", {"test_id": test})["test"]["archived"]


def test_nothing_happens_until_it_is_accepted(admin, manual):
    for path, body, effect in requests(admin, manual):
        key = some_id()
        before = effect()
        staged = admin.post(path, {**body, "idempotency_key": key, "soft": True})
        assert staged["staged"] == "staged" and effect() == before, path
        assert "x-invalidate-tags" not in staged.headers, path
        assert admin.post(path, {**body, "idempotency_key": key, "soft": True}).raw == staged.raw, path
        assert admin.post(path, {**body, "idempotency_key": key}).raw == staged.raw, path
        assert effect() == before, path
        other = {**body, "idempotency_key": key, "accept": True, **({"title": "other"} if "title" in body else {})}
        if "title" in body:
            assert admin.post(path, other, status=422)["code"] == "idempotency_key_reused"
        accepted = admin.post(path, {**body, "idempotency_key": key, "accept": True})
        assert accepted["staged"] == "accepted" and effect() != before, path
        assert accepted.headers["x-invalidate-tags"], path
        assert admin.post(path, {**body, "idempotency_key": key, "accept": True}).raw == accepted.raw, path
        late = admin.post(path, {**body, "idempotency_key": key, "accept": False}, status=409)
        assert late["code"] in ("write_accepted", "test_completed"), path


def test_what_is_rejected_does_not_happen(admin, manual):
    for path, body, effect in requests(admin, manual):
        key = some_id()
        before = effect()
        staged = admin.post(path, {**body, "idempotency_key": key, "soft": True}).body
        rejected = admin.post(path, {**body, "idempotency_key": key, "accept": False})
        assert rejected["staged"] == "rejected" and effect() == before, path
        named = lambda answer: {k: v for k, v in answer.items() if k not in ("staged", "message")}
        assert named(rejected.body) == named(staged), path
        assert admin.post(path, {**body, "idempotency_key": key, "accept": True}, status=409)["code"] == "write_rejected"
        assert effect() == before, path


def test_a_start_is_staged_under_the_ids_it_will_have(admin, catalog):
    asked = {"eval_id": catalog["eval"], "drive": "manual", "idempotency_key": some_id()}
    staged = admin.post("/test/start", {**asked, "soft": True}).body
    admin.post("/test/get", {"test_id": staged["test_id"]}, status=404)
    accepted = admin.post("/test/start", {**asked, "accept": True}).body
    assert {k: accepted[k] for k in ("test_id", "invocation_id")} == {k: staged[k] for k in ("test_id", "invocation_id")}
    assert status_of(admin, staged["test_id"]) == "running"


def test_an_answer_may_name_the_write_by_its_key_alone(admin, manual):
    key = some_id()
    admin.post("/test/draft", {"name": "waiting", "idempotency_key": key, "soft": True})
    made = admin.post("/test/draft", {"idempotency_key": key, "accept": True})["draft_id"]
    assert made in {d["id"] for d in admin.post("/test/drafts", {"search": "waiting"})["entries"]}
    key = some_id()
    admin.post("/test/stop", {"test_id": manual["test_id"], "soft": True}, Idempotency_Key=key)
    admin.post("/test/stop", {"accept": True}, Idempotency_Key=key)
    assert status_of(admin, manual["test_id"]) == "stopped"


def test_a_staged_write_is_still_refused_when_it_cannot_happen(admin, manual):
    asked = {"test_id": manual["test_id"], "idempotency_key": some_id()}
    admin.post("/test/complete", {**asked, "soft": True})
    admin.post("/test/complete", {"test_id": manual["test_id"]})
    assert admin.post("/test/complete", {**asked, "accept": True}, status=409)["code"] == "test_completed"
    assert admin.post("/test/complete", {**asked, "accept": False})["staged"] == "rejected"
    other = {"test_id": manual["test_id"], "idempotency_key": some_id(), "soft": True}
    assert admin.post("/test/complete", other, status=409)["code"] == "test_completed"


def test_a_stale_draft_conflicts_when_it_is_accepted(admin):
    draft = admin.post("/test/draft", {"name": "d"})["draft_id"]
    asked = {"draft_id": draft, "expected_version": 1, "name": "mine", "idempotency_key": some_id()}
    admin.post("/test/draft", {**asked, "soft": True})
    admin.post("/test/draft", {"draft_id": draft, "name": "theirs"})
    answer = admin.post("/test/draft", {**asked, "accept": True}, status=409)
    assert answer["form_state"]["name"] == "theirs" and answer["new_version"] == 2


def test_refresh_is_staged_too(admin):
    asked = {"targets": ["notes"], "idempotency_key": some_id()}
    staged = admin.post("/test/refresh", {**asked, "soft": True}).body
    assert staged["staged"] == "staged" and staged["refreshed_views"] == []
    assert admin.post("/test/refresh", {**asked, "accept": True})["refreshed_views"] == ["notes"]


@pytest.mark.parametrize("more, status", [
    ({"soft": True}, 422), ({"accept": True}, 422), ({"accept": False}, 422),
    ({"accept": True, "idempotency_key": "never staged"}, 422),
    ({"accept": False, "idempotency_key": "never staged"}, 422),
    ({"soft": True, "accept": True, "idempotency_key": "k"}, 422),
    ({"soft": 1, "idempotency_key": "k"}, 422), ({"accept": "yes", "idempotency_key": "k"}, 422)])
def test_what_is_no_staging_changes_nothing(admin, manual, more, status):
    admin.post("/test/stop", {"test_id": manual["test_id"], **more}, status=status)
    assert status_of(admin, manual["test_id"]) == "running"
    assert admin.post("/test/stop", {"test_id": manual["test_id"], "soft": False, "accept": None})["success"]


def test_staging_is_refused_where_there_is_none(admin, manual):
    for path in ("/test/grade", "/test/invocation_terminate", "/model/create"):
        for more in ({"soft": True}, {"accept": True}, {"accept": False}):
            asked = {"invocation_id": manual["invocation_id"], "idempotency_key": some_id(), **more}
            assert admin.post(path, asked, status=422)["detail"][0]["loc"][1] in more, path


def test_another_profile_cannot_answer(admin, with_role, manual):
    asked = {"test_id": manual["test_id"], "idempotency_key": some_id()}
    admin.post("/test/stop", {**asked, "soft": True})
    with_role("instructor").post("/test/stop", {**asked, "accept": True}, status=422)
    assert status_of(admin, manual["test_id"]) == "running"
