import pytest

from server import some_id

ITEMS = {
    "eval": {"name": "an eval", "description": "d", "infinite_mode": False, "model_rubric_ids": []},
    "rubric": {"name": "a rubric", "standard_groups": [
        {"name": "g", "points": 4, "pass_points": 3, "standards": [{"name": "s", "points": 4}]}]},
    "provider": {"name": "a provider", "value": "openai", "endpoint": "http://127.0.0.1:1/v1", "key": "sk-" + "x" * 40},
    "model": {"name": "a model", "value": "m-1", "pricing": [
        {"pricing_type": "input_tokens", "price": 0.15, "unit_name": "1M tokens", "unit_category": "tokens",
         "unit_value": 1000000}]},
    "agent": {"name": "an agent", "prompt": {"system_prompt": "You solve.", "name": "p"}, "temperature": 0.5,
              "instructions": ["a", "b"], "reasoning": "low", "tools": [{"name": "t", "parameters": {"type": "object"}}]},
    "scenario": {"name": "a scenario", "messages": [{"role": "system", "content": "S"},
                                                    {"role": "user", "content": "U"}],
                 "objectives": ["o1", "o2"], "expected_outcome": "42"},
    "department": {"name": "a department", "description": "d"},
    "profile": {"name": "Ada Lovelace", "role": "auditor", "email": "ada@example.org"},
}


@pytest.mark.parametrize("kind", ITEMS)
def test_create_get_search_update_delete(admin, kind):
    made = admin.post(f"/{kind}/create", {kind + "s": [ITEMS[kind]]}).body
    item = made["results"][0][f"{kind}_id"]
    row, = made[kind + "s"]
    assert row[f"{kind}_id"] == item and row["name"] == ITEMS[kind]["name"]

    got = admin.post(f"/{kind}/get", {"id": item}).body
    assert got[f"{kind}_exists"] is True and got["can_edit"] is True
    for name, value in ITEMS[kind].items():
        if name in row and name not in ("standard_groups", "tools", "email", "prompt"):
            assert got[kind][name] == value, name
    if kind == "agent":
        assert got["agent"]["system_prompt"] == "You solve."
    found = admin.post(f"/{kind}/search", {"search": ITEMS[kind]["name"].upper(), "page_size": 1000}).body
    assert item in {r[f"{kind}_id"] for r in found[kind + "s"]}
    assert admin.post(f"/{kind}/search", {"search": "no such name"})["total_count"] == 0

    key = "profile_id" if kind == "profile" else "id"
    changed = admin.post(f"/{kind}/update", {kind + "s": [{key: item, "name": "renamed", "active": False}]}).body
    assert changed["results"][0]["success"] and changed[kind + "s"][0]["name"] == "renamed"
    after = admin.post(f"/{kind}/get", {"id": item})[kind]
    assert after["is_inactive"] is True
    assert {k: v for k, v in after.items() if k in ITEMS[kind] and k not in ("name",)} == \
           {k: v for k, v in got[kind].items() if k in ITEMS[kind] and k not in ("name",)}

    gone = admin.post(f"/{kind}/delete", {f"{kind}_ids": [item, some_id()]}).body
    assert [r["success"] for r in gone["results"]] == [True, False]
    assert admin.post(f"/{kind}/get", {"id": item})[f"{kind}_exists"] is False


def test_key_never_comes_back(admin, catalog):
    secret = "sk-secret-0123456789"
    made = admin.post("/key/create", {"keys": [{"name": "k", "provider_id": catalog["provider"], "key": secret}]})
    key = made["results"][0]["key_id"]
    new = admin.post("/key/update", {"keys": [{"id": key, "key": "sk-other-987654321xyz"}]})
    got = admin.post("/key/get", {"key_id": key})
    assert got["key"]["key_masked"].endswith("1xyz") and got["key"]["provider_id"] == catalog["provider"]
    listed = admin.post("/key/search", {"filter_provider_ids": [catalog["provider"]]})
    assert listed["total_count"] >= 1
    for answer in (made, new, got, listed):
        assert secret.encode() not in answer.raw and b"987654321" not in answer.raw
    assert admin.post("/key/delete", {"key_ids": [key]})["results"][0]["success"]


def test_provider_key_becomes_a_key_item(admin):
    made = admin.post("/provider/create", {"providers": [ITEMS["provider"]]}).body
    provider = made["results"][0]["provider_id"]
    key, = made["providers"][0]["key_ids"]
    assert admin.post("/key/get", {"id": key})["key"]["provider_id"] == provider
    models = admin.post("/model/create", {"models": [{"name": "m", "provider_id": provider}]}).body
    row = admin.post("/provider/search", {"filter_model_ids": [models["results"][0]["model_id"]]}).body["providers"][0]
    assert row["provider_id"] == provider and row["model_usage_count"] == 1
    found = admin.post("/model/search", {"filter_provider_ids": [provider]})["models"][0]
    assert found["provider_name"] == "a provider" and found["base_url"] == ITEMS["provider"]["endpoint"]


def test_each_item_stands_for_itself(admin):
    preset = some_id()
    body = {"models": [{"id": preset, "name": "first"}, {"name": "second", "provider_id": some_id()},
                       {"id": preset, "name": "third"}]}
    results = admin.post("/model/create", body)["results"]
    assert [r["success"] for r in results] == [True, False, False]
    assert results[0]["model_id"] == preset
    assert results[1]["errors"][0]["field"] == "provider_id"


def test_bulk_create(admin):
    many = [{"name": f"bulk {i}", "problem_statement": f"What is {i} + 1?", "expected_outcome": str(i + 1)}
            for i in range(700)]
    made = admin.post("/scenario/create", {"scenarios": many}).body
    assert all(r["success"] for r in made["results"]) and len(made["scenarios"]) == 700
    assert [s["expected_outcome"] for s in made["scenarios"]] == [s["expected_outcome"] for s in many]
    page = admin.post("/scenario/search", {"search": "bulk", "page_size": 10, "page_offset": 695}).body
    assert page["total_count"] == 700 and len(page["scenarios"]) == 5
    admin.post("/scenario/delete", {"scenario_ids": [r["scenario_id"] for r in made["results"]]})


def test_update_keeps_group_ids_by_name(admin):
    rubric = admin.create("rubric", ITEMS["rubric"])
    before = admin.post("/rubric/get", {"id": rubric}).body
    admin.post("/rubric/update", {"rubrics": [{"id": rubric, "standard_groups": [
        {"name": "new", "points": 2}, {"name": "g", "points": 6}]}]})
    after = admin.post("/rubric/get", {"id": rubric}).body
    ids = {g["name"]: g["standard_group_id"] for g in after["standard_groups"]}
    assert ids["g"] == before["standard_groups"][0]["standard_group_id"]
    assert after["rubric"]["points"] == 8 == after["rubric"]["pass_points"]


def test_a_grader_that_does_not_parse_is_refused(admin):
    body = {"rubrics": [{"name": "r", "standard_groups": [{"name": "g", "grader": {"kind": "magic"}}]}]}
    loc = admin.post("/rubric/create", body, status=422)["detail"][0]["loc"]
    assert loc == ["body", "rubrics", "0", "standard_groups", "0", "grader"]


def test_a_running_test_keeps_its_frozen_configuration(admin, catalog):
    model = admin.create("model", {"name": "6b_finetuning", "value": "6b_finetuning", "provider_id": catalog["provider"]})
    started = admin.post("/test/start", {"eval_id": catalog["eval"], "model_ids": [model], "drive": "manual"})
    admin.post("/model/delete", {"model_ids": [model]})
    names = admin.post("/test/get", {"test_id": started["test_id"]})["resources"]["models"]
    assert names[model]["name"] == "6b_finetuning"
    admin.post("/test/start", {"eval_id": catalog["eval"], "model_ids": [model]}, status=404)
