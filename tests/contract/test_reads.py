import datetime

from conftest import invocations
from server import some_id


def test_search_filters(admin, catalog, done):
    find = lambda **f: admin.post("/test/search", {"page_size": 1000, **f}).body
    everything = find()
    assert everything["total_count"] == len(everything["tests"]) and everything["actor_name"]
    assert done["test_id"] in {t["test_id"] for t in find(eval_ids=[catalog["eval"]])["tests"]}
    assert find(eval_ids=[some_id()])["tests"] == []
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    assert find(start_date=today, end_date=today)["total_count"] == everything["total_count"]
    assert find(end_date="2020-01-01")["total_count"] == 0
    assert find(department_ids=[some_id()])["total_count"] == 0
    options = find(eval_search="gsm")["eval_filter"]["options"]
    assert [o["id"] for o in options] == [catalog["eval"]]
    assert find(eval_search="nothing")["eval_filter"]["options"] == []
    page = find(page_size=1, page_offset=1)
    assert page["tests"][0]["test_id"] == everything["tests"][1]["test_id"]
    assert find(page_size=5000)["page_size"] == 1000


def test_search_history_form(admin, catalog, done):
    body = admin.post("/test/search", {"history_page": 1, "history_page_size": 1000,
                                       "history_eval_ids": [catalog["eval"]], "history_search": "",
                                       "history_archived": False, "history_sort_by": "created_at",
                                       "history_sort_order": "asc"}).body
    dates = [t["date"] for t in body["data"]]
    assert dates == sorted(dates)
    mine = next(t for t in body["data"] if t["test_id"] == done["test_id"])
    assert mine["num_models"] == 2 == mine["num_models_completed"]
    assert 0 <= mine["pass_pct"] <= 100 and mine["score_status"] in ("high", "medium", "low")
    assert mine["profile_name"] == "administrator" and mine["rubric_name"]
    assert body["eval_options"] and body["model_options"] and body["rubric_options"]
    newest = admin.post("/test/search", {"history_page": 1, "history_page_size": 1000}).body["data"]
    assert [t["date"] for t in newest] == sorted((t["date"] for t in newest), reverse=True)


def test_history_orders_and_facets(admin, catalog, done):
    find = lambda **f: admin.post("/test/search", {"history_page": 1, "history_page_size": 1000, **f}).body
    by_name = find(history_sort_by="eval_name", history_sort_order="asc")["data"]
    names = [t["eval_name"].lower() for t in by_name]
    assert names == sorted(names)
    names = [t["test_name"].lower() for t in find(history_sort_by="test_name", history_sort_order="desc")["data"]]
    assert names == sorted(names, reverse=True)
    second = admin.post("/test/search", {"history_page": 2, "history_page_size": 1, "history_sort_by": "eval_name",
                                         "history_sort_order": "asc"})["data"]
    assert second == by_name[1:2]
    everything = find()
    rubric = next(o for o in everything["rubric_options"] if o["value"] == catalog["rubric"])
    assert rubric["label"] == "final answer"
    assert rubric["count"] == sum(t["rubric_id"] == catalog["rubric"] for t in everything["data"])
    assert find(history_page_size=1)["rubric_options"] == everything["rubric_options"], "of all pages"
    for bad in ({"history_sort_by": "colour"}, {"history_sort_order": "up"}, {"history_page": 0},
                {"history_archived": "no"}, {"history_eval_ids": ["no id"]}):
        admin.post("/test/search", {"history_page": 1, **bad}, status=422)


def test_benchmark_overview(admin, catalog, done):
    body = admin.post("/test/benchmark", {"history_page": 1, "history_page_size": 2}).body
    card = next(e for e in body["evals"] if e["eval_id"] == catalog["eval"])
    assert card["total_tests"] >= 1 and card["completed_invocations"] >= 8
    assert body["history"]["page_size"] == 2 and body["date_range_earliest"] <= body["date_range_latest"]
    assert admin.send("POST", "/test/benchmark").status == 200, "the body may be left out"


def test_benchmark_of_a_test(admin, catalog, done):
    by_test = admin.post("/test/benchmark", {"test_id": done["test_id"], "heatmap": True}).body
    by_id = admin.post("/test/benchmark", {"benchmark_id": done["benchmark_id"]}).body
    assert by_test["models"] == by_id["models"] and by_test["complete"]
    weak, strong = by_test["models"]
    assert (weak["model_name"], strong["model_name"]) == ("6b_finetuning", "175b_verification")
    for line in by_test["models"]:
        assert line["cells"] == 4 == line["graded"] == line["ended"] and line["open"] == 0
        low, high = line["accuracy_interval"]
        assert 0 <= low <= line["accuracy"] <= high <= 1
        assert line["input_tokens"] is None and line["cost"] is None
        assert line["standards"][0]["name"] == "answer"
    pair, = by_test["comparisons"]
    assert pair["n"] == 4 == sum(pair[k] for k in ("both_passed", "only_a", "only_b", "neither"))
    assert pair["verdict"] in ("better", "worse", "cannot_tell")
    assert len(by_test["cells"]) == 8
    admin.post("/test/benchmark", {"benchmark_id": some_id()}, status=404)


def test_invocations_pages_and_history_form(admin, done):
    everything = invocations(admin, done["test_id"])
    assert [i["position"] for i in everything] == list(range(8))
    page = admin.post("/test/invocations", {"test_id": done["test_id"], "page_size": 3, "page_offset": 3}).body
    assert page["total_count"] == 8 and page["page"] == 2
    assert [i["invocation_id"] for i in page["data"]] == [i["invocation_id"] for i in everything[3:6]]
    assert all(i["grade_score"] in (0, 10) and i["scores"] for i in everything)
    history = admin.post("/test/invocations", {"history_page": 1}).body
    assert any(t["test_id"] == done["test_id"] for t in history["data"])


def test_invocation_get_both_forms(admin, catalog, done):
    by_id = admin.post("/test/invocation_get", {"invocation_id": done["invocation_id"],
                                                "names": {"include": True}}).body
    by_alias = admin.post("/test/invocation_get", {"id": done["invocation_id"]}).body
    assert by_id == by_alias
    assert by_id["status"] == "completed" and by_id["model"]["id"] == catalog["models"][0]
    assert by_id["provider"]["id"] == catalog["provider"] and by_id["endpoints"][0]["base_url"]
    roles = [m["role"] for m in by_id["trace"]["runs"][0]["messages"]]
    assert roles == ["user", "assistant"]
    assert all(m["content"] for m in by_id["trace"]["runs"][0]["messages"])
    admin.post("/test/invocation_get", {"invocation_id": done["invocation_id"], "test_id": some_id()}, status=404)
    admin.post("/test/invocation_get", {"test_id": done["test_id"]}, status=422)


def test_snapshot_key_pins_what_is_read(admin, catalog):
    asked = {"snapshot_key": some_id(), "page_size": 1}
    before = admin.post("/test/search", asked)["total_count"]
    admin.post("/test/start", {"eval_id": catalog["eval"], "drive": "manual"})
    assert admin.post("/test/search", asked)["total_count"] == before
    assert admin.post("/test/search", {"page_size": 1})["total_count"] == before + 1


def test_health_and_metrics(server, admin, with_role):
    nobody = server.client("")
    assert nobody.send("GET", "/healthz").status == 200
    ready = nobody.send("GET", "/readyz")
    assert ready.status == 200 and ready["views_serving"] == ready["views_total"]
    assert nobody.send("GET", "/metrics").status == 401
    assert with_role("instructor").send("GET", "/metrics").status == 403
    text = admin.send("GET", "/metrics").raw.decode()
    assert "assay_commits_total" in text and "assay_model_calls_total" in text
