"""Drafts of invocations: versions, conflicts, lists."""
import datetime
import json

import pytest

from server import some_id

LISTS = ("flag_ids", "department_ids", "modality_ids", "quality_ids", "voice_ids", "model_flag_ids",
         "model_position_ids", "model_rubric_ids")
SINGLES = ("name_id", "description_id", "value_id", "key_id", "endpoint_id", "temperature_level_id", "pricing_id",
           "reasoning_level_id")


@pytest.fixture
def draft(admin):
    return admin.post("/test/draft", {"name": "a draft", "description": "what it is for"}).body


def listed(client, **asked):
    return client.post("/test/drafts", {"page_limit": 1000, **asked})["entries"]


def test_every_field_is_kept_and_shown(admin):
    pair = {"model_id": some_id(), "flag_id": some_id()}
    value = {"model_id": some_id(), "type": "model_active", "value": True}
    asked = {"name": "whole", "description": "all of it", "model_flags": [pair], "model_flag_values": [value],
             **{name: [some_id(), some_id()] for name in LISTS}, **{name: some_id() for name in SINGLES}}
    asked["pending_ids"] = [asked["flag_ids"][1], asked["key_id"]]
    made = admin.post("/test/draft", asked).body
    assert made["success"] and made["new_version"] == 1 and made["message"]
    assert {k: made["form_state"][k] for k in asked} == asked
    row = next(d for d in listed(admin) if d["id"] == made["draft_id"])
    assert row["name"] == "whole" and row["version"] == 1 and row["mcp"] is False and row["active"]
    assert {name: row[name] for name in LISTS} == {name: asked[name] for name in LISTS}
    assert row["key_ids"] == [asked["key_id"]] == row["pending_key_ids"] and row["value_id"] == asked["value_id"]
    assert row["pending_flag_ids"] == asked["flag_ids"][1:] and row["pending_department_ids"] == []


def test_a_change_keeps_what_it_does_not_name(admin, draft):
    assert draft["form_state"]["name_id"] and draft["form_state"]["description_id"]
    key = some_id()
    second = admin.post("/test/draft", {"draft_id": draft["draft_id"], "key_id": key, "name": None}).body
    assert second["draft_id"] == draft["draft_id"] and second["new_version"] == 2
    assert second["form_state"] == {**draft["form_state"], "key_id": key}
    older_name = admin.post("/test/draft", {"input_draft_id": draft["draft_id"], "name": "renamed"}).body
    assert older_name["new_version"] == 3 and older_name["form_state"]["name"] == "renamed"
    assert older_name["form_state"]["name_id"] != draft["form_state"]["name_id"]


def test_a_stale_version_is_told_the_draft_as_it_is(admin, draft):
    asked = {"draft_id": draft["draft_id"], "expected_version": 1}
    assert admin.post("/test/draft", {**asked, "name": "mine"})["new_version"] == 2
    answer = admin.post("/test/draft", {**asked, "name": "late"}, status=409)
    assert answer["code"] == "version_conflict" and answer["new_version"] == 2
    assert answer["form_state"]["name"] == "mine" == answer["draft"]["name"]
    assert answer["form_state"]["description"] == "what it is for"
    assert "x-invalidate-tags" not in answer.headers
    merged = {**asked, "name": "late", "expected_version": answer["new_version"]}
    assert admin.post("/test/draft", merged)["new_version"] == 3


def test_an_earlier_answer_wins_over_the_version(admin, draft):
    asked = {"draft_id": draft["draft_id"], "expected_version": 1, "name": "once", "idempotency_key": some_id()}
    first = admin.post("/test/draft", asked)
    assert admin.post("/test/draft", asked).raw == first.raw
    assert admin.post("/test/draft", {**asked, "name": "twice"}, status=422)["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("body, field", [
    ({"draft_id": "x"}, "draft_id"), ({"expected_version": -1}, "expected_version"),
    ({"expected_version": "1"}, "expected_version"), ({"flag_ids": ["x"]}, "flag_ids"),
    ({"flag_ids": "x"}, "flag_ids"), ({"key_id": 1}, "key_id"), ({"name": "n" * 501}, "name"), ({"name": 5}, "name"),
    ({"model_flags": [{"model_id": some_id()}]}, "model_flags"), ({"pending_ids": [1]}, "pending_ids"),
    ({"model_flag_values": [{"model_id": some_id(), "type": "t", "value": 1}]}, "model_flag_values"),
    ({"department_ids": [some_id()] * 1001}, "department_ids")])
def test_bad_fields(admin, body, field):
    assert admin.post("/test/draft", body, status=422)["detail"][0]["loc"][:2] == ["body", field]


def test_drafts_are_their_profiles_own(admin, draft, with_role, other_workspace):
    asked = {"draft_id": draft["draft_id"], "name": "taken"}
    for client in (with_role("instructor"), other_workspace):
        assert client.post("/test/draft", asked, status=404)["code"] == "draft_not_found"
        assert draft["draft_id"] not in {d["id"] for d in listed(client)}
    with_role("learner").post("/test/draft", {"name": "n"}, status=403)
    with_role("learner").post("/test/drafts", {}, status=403)
    admin.post("/test/draft", {"draft_id": some_id(), "name": "n"}, status=404)


def test_the_list_is_searched_dated_and_paged(with_role):
    client = with_role("instructor")
    ids = [client.post("/test/draft", {"name": f"Plan {i}"})["draft_id"] for i in range(4)]
    assert [d["id"] for d in listed(client)] == ids[::-1]
    assert [d["id"] for d in listed(client, page_limit=2, page_offset=1)] == [ids[2], ids[1]]
    assert [d["id"] for d in listed(client, search="plan 3")] == [ids[3]]
    today = datetime.datetime.now(datetime.timezone.utc).date()
    assert len(listed(client, date_from=str(today), date_to=str(today))) == 4
    assert listed(client, date_to=str(today - datetime.timedelta(days=2))) == []
    pinned = some_id()
    assert len(listed(client, snapshot_key=pinned)) == 4
    client.post("/test/draft", {"name": "Plan 5"})
    assert len(listed(client, snapshot_key=pinned)) == 4 and len(listed(client)) == 5
    client.post("/test/drafts", {"page_limit": 0}, status=422)
    client.post("/test/drafts", {"page_offset": -1}, status=422)
    client.post("/test/drafts", {"date_from": "soon"}, status=422)
    assert client.send("POST", "/test/drafts").status == 200, "the body may be left out"


def test_mcp_is_told(admin):
    for value, mcp in (("1", True), ("true", True), ("0", False)):
        made = admin.post("/test/draft", {"name": "n"}, X_MCP=value)["draft_id"]
        assert next(d for d in listed(admin) if d["id"] == made)["mcp"] is mcp


def test_every_path_is_the_same_operation(admin):
    made = admin.post("/test/invocation_draft", {"name": "by its other path"})["draft_id"]
    body = json.dumps({"draft_id": made, "name": "patched"}).encode()
    patched = admin.send("PATCH", "/test/invocation/draft", body)
    assert patched.status == 200 and patched["new_version"] == 2
    for path in ("/test/drafts", "/test/invocation_drafts", "/test/invocation/drafts"):
        assert made in {d["id"] for d in admin.post(path, {"search": "patched"})["entries"]}
