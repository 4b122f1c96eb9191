import json

from conftest import finished, invocations
from server import some_id


def test_start_answers_ids_and_runs_the_grid(admin, catalog, done):
    summary = finished(admin, done["test_id"])
    assert summary["total"] == 8 and summary["completed_cells"] == 8 and summary["graded"] == 8
    assert done["invocation_id"] and done["benchmark_id"] and done["resumed"] is False


def test_start_narrowed_by_every_list(admin, catalog):
    body = {"eval_id": catalog["eval"], "model_ids": catalog["models"][:1],
            "scenario_ids": catalog["scenarios"][:1], "agent_ids": [catalog["agent"]],
            "infinite_mode": None, "repeats": 3, "name": "narrow", "unknown_field": 1}
    started = admin.post("/test/start", body)
    assert finished(admin, started["test_id"])["total"] == 3


def test_get_has_every_section(admin, catalog, done):
    got = admin.post("/test/get", {"test_id": done["test_id"]})
    assert got.headers["x-cache-hit"] == "0"
    body = got.body
    assert body["status"] == "running" and body["eval_description"] == "Grade school"
    assert len(body["invocations"]) == len(body["runs"]) == len(body["invocation_details"]) == 8
    assert body["next_invocation_id"] is None and body["truncated"] is False
    entries = body["entries"]
    assert len(entries["runs"]) == len(entries["grades"]) == len(entries["calls"]) == 8
    assert len(entries["messages"]) == 16, "a question and an answer each"
    detail = body["invocation_details"][0]
    run = detail["runs"][0]
    assert run["grade"]["total_points"] == 10 and run["call_ids"] and len(run["message_ids"]) == 2
    assert detail["rubric_structure"]["standard_groups_mapping"]
    group = next(iter(run["grading_state"]["achieved_standards"]))
    assert run["grading_state"]["achieved_standards"][group] in (0, 10)
    assert set(body["resources"]["models"]) == set(catalog["models"])
    assert body["aggregated_results"]["n"] == 8


def test_get_configs_of_an_open_group(admin, done):
    body = admin.post("/test/get", {"test_id": done["test_id"]}).body
    group = body["configs_groups"][0]["group_id"]
    assert body["configs"] == [] and body["configs_total"] == 8
    asked = {"test_id": done["test_id"], "configs_expanded": [group], "configs_expanded_page_size": 3,
             "configs_groups_page": 1, "configs_groups_page_size": 5, "configs_search": "GSM",
             "configs_selected": []}
    assert len(admin.post("/test/get", asked)["configs"]) == 3
    asked["configs_search"] = "nothing of that name"
    assert admin.post("/test/get", asked)["configs_groups"] == []


def test_stop_and_repeat(admin, manual):
    first = admin.post("/test/stop", {"test_id": manual["test_id"]}).body
    assert first["success"] and first["queued"] == 2
    assert first["invocation_id"] == manual["invocation_id"]
    again = admin.post("/test/stop", {"test_id": manual["test_id"]}).body
    assert again["success"] and again["invocation_id"] is None and "before" in again["message"]
    assert admin.post("/test/get", {"test_id": manual["test_id"]})["status"] == "stopped"


def test_stop_by_invocation(admin, manual):
    body = admin.post("/test/stop", {"invocation_id": manual["invocation_id"]}).body
    assert body["invocation_id"] == manual["invocation_id"] and body["success"]
    states = [i["status"] for i in invocations(admin, manual["test_id"])]
    assert states == ["terminated", "queued"]


def test_complete_is_terminal(admin, manual):
    body = admin.post("/test/complete", {"test_id": manual["test_id"]}).body
    assert body == {"test_id": manual["test_id"], "success": True, "completed_count": 0, "terminated": 2,
                    "idempotency_key": None}
    for path, asked in (("/test/complete", {"test_id": manual["test_id"]}),
                        ("/test/stop", {"test_id": manual["test_id"]}),
                        ("/test/invocation_run", {"invocation_id": manual["invocation_id"]}),
                        ("/test/invocation_create", {"test_id": manual["test_id"]}),
                        ("/test/invocation_trace", {"invocation_id": manual["invocation_id"]}),
                        ("/test/grade", {"invocation_id": manual["invocation_id"], "full": True})):
        assert admin.post(path, asked, status=409)["code"] == "test_completed", path


def test_archive_sets_and_toggles(admin, catalog):
    ids = [admin.post("/test/start", {"eval_id": catalog["eval"], "drive": "manual"})["test_id"]
           for _ in range(2)]
    archive = lambda **more: admin.post("/test/archive", {"test_ids": ids, **more})["updated_count"]
    hidden = lambda: {t["test_id"] for t in admin.post("/test/search", {"page_size": 1000})["tests"]}
    assert archive(archived=True) == 2 and archive(archived=True) == 0
    assert not hidden() & set(ids)
    shown = admin.post("/test/search", {"is_archived": True, "page_size": 1000})["tests"]
    assert set(ids) <= {t["test_id"] for t in shown}
    assert archive() == 2 and set(ids) <= hidden()


def test_archive_of_a_list_with_an_unknown_one_changes_none(admin, manual):
    admin.post("/test/archive", {"test_ids": [manual["test_id"], some_id()], "archived": True}, status=404)
    assert admin.post("/test/get", {"test_id": manual["test_id"]})["test"]["archived"] is False


def test_invalidated_tags_are_told(admin, manual):
    answer = admin.post("/test/archive", {"test_ids": [manual["test_id"]]})
    assert set(answer.headers["x-invalidate-tags"].split(",")) == {"benchmark", "test", "artifacts"}


def test_resume_and_reuse(admin, catalog):
    body = {"eval_id": catalog["eval"], "drive": "manual", "resume": True, "name": "r",
            "scenario_ids": catalog["scenarios"][2:3]}
    first = admin.post("/test/start", body)
    again = admin.post("/test/start", body)
    assert again["resumed"] and again["test_id"] == first["test_id"]
    reused = admin.post("/test/start", {"eval_id": catalog["eval"], "reuse": True})
    assert finished(admin, reused["test_id"])["completed_cells"] == 8


def test_refresh_rebuilds_what_is_named(admin):
    body = admin.post("/test/refresh", {"targets": ["tests", "benchmark"]}).body
    assert body["success"] and body["refreshed_views"] == ["tests", "benchmark"]
    assert admin.send("POST", "/test/refresh").status == 200, "the body may be left out"
    assert admin.post("/test/refresh", {"targets": ["nothing"]}, status=422)


def test_large_answer_is_whole(admin, catalog):
    started = admin.post("/test/start", {"eval_id": catalog["eval"], "repeats": 50, "drive": "manual"})
    got = admin.post("/test/get", {"test_id": started["test_id"]})
    assert got.headers.get("transfer-encoding") == "chunked"
    assert len(got["invocations"]) == 400 == len(got["aggregated_results"]["cells"])
    ids = [i["invocation_id"] for i in got["invocations"]]
    assert len(set(ids)) == 400
    assert json.loads(got.raw)["total_invocations"] == 400
