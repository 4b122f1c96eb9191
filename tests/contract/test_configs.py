"""The run picker of /test/get: one group, its runs, and the messages of those picked."""
from server import some_id


def get(admin, done, **more):
    return admin.post("/test/get", {"test_id": done["test_id"], **more}).body


def group_of(body):
    return body["invocations"][0]["group_id"]


def test_headers_without_rows(admin, done):
    body = get(admin, done)
    group, = body["configs_groups"]
    assert body["configs"] == []
    assert group["group_id"] == group_of(body) and group["name"] == body["test"]["test_name"]
    assert group["run_count"] == body["configs_total"] == len(body["entries"]["runs"]) >= 8
    assert body["configs_per_group_total"] == {group["group_id"]: body["configs_total"]}
    assert group["last_run_at"] == max(r["created_at"] for r in body["entries"]["runs"])


def test_rows_of_expanded_groups(admin, done):
    group = group_of(get(admin, done))
    whole = get(admin, done, configs_expanded=[group])["configs"]
    assert [c["run_id"] for c in whole] == [r["run_id"] for r in get(admin, done)["entries"]["runs"]]
    assert {c["group_id"] for c in whole} == {group} and all(c["label"] for c in whole)
    assert {c["model_name"] for c in whole} == {"6b_finetuning", "175b_verification"}
    assert [c["run_id"] for c in get(admin, done, configs_expanded=[group], configs_expanded_page_size=3)["configs"]] \
        == [c["run_id"] for c in whole[:3]]
    assert get(admin, done, configs_expanded=[some_id(), "no id"])["configs"] == []


def test_paging_and_search_of_groups(admin, done):
    body = get(admin, done)
    group = group_of(body)
    beyond = get(admin, done, configs_groups_page=2, configs_groups_page_size=1, configs_expanded=[group])
    assert (beyond["configs_groups"], beyond["configs"]) == ([], [])
    assert (beyond["configs_groups_total"], beyond["configs_total"]) == (1, body["configs_total"])
    part = body["test"]["test_name"][1:4].upper()
    assert get(admin, done, configs_search=part)["configs_groups"] == body["configs_groups"]
    nothing = get(admin, done, configs_search="no such name", configs_expanded=[group])
    assert (nothing["configs_groups"], nothing["configs"], nothing["configs_groups_total"]) == ([], [], 0)
    assert nothing["configs_total"] == body["configs_total"]


def test_messages_of_picked_runs_come_along(admin, done):
    body = get(admin, done)
    assert all("content" not in m for m in body["entries"]["messages"])
    picked = body["entries"]["runs"][1]["run_id"]
    messages = get(admin, done, configs_selected=[picked, some_id(), "no id"])["entries"]["messages"]
    assert [m["message_id"] for m in messages] == [m["message_id"] for m in body["entries"]["messages"]]
    told = [m for m in messages if "content" in m]
    assert {m["run_id"] for m in told} == {picked}
    assert [m["role"] for m in told] == ["user", "assistant"] and all(m["content"] for m in told)
    assert told[1]["call_ids"] and not told[0]["call_ids"]
    admin.post("/test/get", {"test_id": done["test_id"], "configs_selected": [some_id()] * 101}, status=422)


def test_bad_pages(admin, done):
    for bad in ({"configs_groups_page": 0}, {"configs_groups_page_size": 0}, {"configs_expanded_page_size": -1},
                {"configs_expanded": "no list"}, {"configs_selected": [1]}, {"configs_search": 1}):
        admin.post("/test/get", {"test_id": done["test_id"], **bad}, status=422)


def test_ids_that_a_trace_binds(admin, catalog):
    started = admin.post("/test/start", {"eval_id": catalog["eval"], "drive": "manual"}).body
    run = admin.post("/test/invocation_run", {"invocation_id": started["invocation_id"]})["run_id"]
    ids = {name: [some_id()] for name in ("prompt_ids", "tool_ids", "instruction_ids", "voice_ids", "quality_ids",
                                          "temperature_level_ids", "reasoning_level_ids", "modality_ids")}
    admin.post("/test/invocation_trace", {
        "test_id": started["test_id"], "test_invocation_id": started["invocation_id"], "run_id": run, **ids})
    body = get(admin, started)
    group = group_of(body)
    config, = get(admin, started, configs_expanded=[group])["configs"]
    assert {n: config[n] for n in ("prompt_ids", "tool_ids", "instruction_ids")} \
        == {n: ids[n] for n in ("prompt_ids", "tool_ids", "instruction_ids")}
    for row in (body["invocations"][0], body["invocation_details"][0]):
        assert row["voice_id"] == ids["voice_ids"][0] and row["quality_id"] == ids["quality_ids"][0]
        assert row["temperature_level_id"] == ids["temperature_level_ids"][0]
        assert row["reasoning_level_id"] == ids["reasoning_level_ids"][0]
        assert row["modality_ids"] == ids["modality_ids"]
