"""The older surface: the same tests, driven by the client."""
import pytest

from conftest import finished, invocations
from server import SilentHost, make_silent_eval, some_id

V5 = "/api/v5/artifacts/test/"


@pytest.fixture
def v5(admin):
    return lambda name, body=None, status=200, **headers: admin.post(V5 + name, body, status, **headers)


@pytest.fixture
def driven(v5, catalog):
    """A test over the recordings that waits for its client."""
    return v5("start", {"benchmark_id": catalog["eval"]})["test_id"]


def until_ended(admin, test_id, cell):
    """Waits until the invocation's run has come to its end."""
    for _ in range(1000):
        row = next(i for i in invocations(admin, test_id) if i["invocation_id"] == cell)
        if row["status"] != "running":
            return row
    raise AssertionError("still running")


def named(test_id, turn):
    return {"test_id": test_id, "test_invocation_id": turn["invocation_id"], "run_id": turn["run_id"]}


def test_a_client_drives_a_whole_test(admin, v5, driven):
    total = len(invocations(admin, driven))
    for number in range(1, total + 1):
        turn = v5("next", {"test_id": driven}).body
        assert v5("next", {"test_id": driven}).body == turn, "asking changes nothing"
        assert (turn["current_run"], turn["total_runs"]) == (number, total)
        begun = v5("run", named(driven, turn)).body
        assert begun == {"test_id": driven, "invocation_id": turn["invocation_id"], "run_id": turn["run_id"]}
        row = until_ended(admin, driven, turn["invocation_id"])
        ended = v5("end", {**named(driven, turn), "grade": True}).body
        assert ended["grade_id"] == row["grade_id"], "the run was graded when it ended: no second grade"
        assert (ended["score"], ended["passed"]) == (row["grade_score"], row["grade_passed"])
        assert ended["score"] in (0, 10) and ended["feedback"] is None
    assert v5("next", {"test_id": driven}, 404)["code"] == "no_pending_run"
    body = v5("get", {"test_id": driven}).body
    assert body["status"] == "running" and body["status_summary"]["completed"] == total
    assert len(body["entries"]["grades"]) == total
    assert {g["run_id"] for g in body["entries"]["grades"]} == {r["run_id"] for r in body["runs"]}
    assert body["entries"]["messages"][0]["text_upload_ids"]
    assert "configs" not in body and "next_invocation_id" not in body


def test_cells_wait_for_their_client(admin, driven):
    assert {i["status"] for i in invocations(admin, driven)} == {"queued"}
    assert admin.post("/test/get", {"test_id": driven})["test"]["drive"] == "manual"


def test_start_by_a_rollup_starts_its_eval_again(admin, v5, catalog, done, other_workspace):
    again = v5("start", {"benchmark_id": done["benchmark_id"], "infinite_mode": False}).body
    assert list(again) == ["test_id"]
    assert admin.post("/test/get", {"test_id": again["test_id"]})["test"]["eval_id"] == catalog["eval"]
    v5("start", {"benchmark_id": some_id()}, 404)
    v5("start", {}, 422)
    other_workspace.post(V5 + "start", {"benchmark_id": done["benchmark_id"]}, 404)
    other_workspace.post(V5 + "start", {"benchmark_id": catalog["eval"]}, 404)


@pytest.fixture
def slow(v5, silent_eval):
    """A client-driven test whose model never answers, and its first turn."""
    test_id = v5("start", {"benchmark_id": silent_eval[1]})["test_id"]
    return test_id, v5("next", {"test_id": test_id}).body


@pytest.mark.parametrize("given, score, passed", [
    ({"score": 7}, 7, False), ({"score": 7.25}, 7.25, False), ({"score": 10, "passed": True}, 10, True),
    ({"passed": True}, 10, True), ({"passed": False}, 0, False), ({"score": 0}, 0, False)])
def test_end_takes_the_client_s_word(admin, v5, slow, given, score, passed):
    test_id, turn = slow
    v5("run", named(test_id, turn))
    ended = v5("end", {**named(test_id, turn), **given, "feedback": "as I see it"}).body
    assert (ended["score"], ended["passed"], ended["feedback"]) == (score, passed, "as I see it")
    row = invocations(admin, test_id)[0]
    assert row["status"] == "completed" and row["grade_id"] == ended["grade_id"] and row["grade_score"] == score
    feedback, = v5("get", {"test_id": test_id})["entries"]["feedback"]
    assert feedback["feedback"] == "as I see it" and feedback["grade_id"] == ended["grade_id"]
    assert feedback["standard_group_id"] is None


def test_end_without_a_run_closes_the_cell(admin, v5, slow):
    test_id, turn = slow
    ended = v5("end", named(test_id, turn)).body
    assert ended == {"invocation_id": turn["invocation_id"], "grade_id": None, "score": None, "passed": None,
                     "feedback": None}
    assert invocations(admin, test_id)[0]["status"] == "completed"
    assert v5("next", {"test_id": test_id})["invocation_id"] != turn["invocation_id"]
    # The client carried the case out itself: its word about the next one needs no run of ours.
    turn = v5("next", {"test_id": test_id}).body
    assert v5("end", {**named(test_id, turn), "score": 10})["passed"] is True


def test_end_has_nothing_to_grade_while_the_answer_is_to_come(v5, slow):
    test_id, turn = slow
    assert v5("end", {**named(test_id, turn), "grade": True}, 409)["code"] == "invocation_queued"
    v5("run", named(test_id, turn))
    assert v5("end", {**named(test_id, turn), "grade": True}, 409)["code"] == "invocation_running"
    v5("end", {**named(test_id, turn), "feedback": "without a grade"}, 422)
    v5("end", {**named(test_id, turn), "score": 11}, 422)
    v5("end", {**named(test_id, turn), "score": -0.5}, 422)
    v5("end", {**named(test_id, turn), "score": 10, "passed": False}, 422)
    assert v5("run", named(test_id, turn), 409)["code"] == "invocation_running"
    assert v5("end", named(test_id, turn))["grade_id"] is None


def test_end_of_an_answer_that_nobody_graded_grades_it(admin, v5, catalog):
    """Two turns; the client ends between them: the answer that is there is what the graders judge."""
    host = SilentHost(answers=["The end. A: 18"])
    model, _ = make_silent_eval(admin, catalog, host)
    scenario = admin.create("scenario", {"name": "two turns", "messages": [
        {"role": "user", "content": "What is 9 + 9?"}, {"role": "user", "content": "And now?"}],
        "expected_outcome": "18"})
    eval_id = admin.create("eval", {"name": "two turns", "model_ids": [model], "scenario_ids": [scenario],
                                    "rubric_ids": [catalog["rubric"]]})
    test_id = v5("start", {"benchmark_id": eval_id})["test_id"]
    turn = v5("next", {"test_id": test_id}).body
    v5("run", named(test_id, turn))
    host.wait_for_calls(2)
    ended = v5("end", {**named(test_id, turn), "grade": True}, Idempotency_Key="end-once").body
    assert (ended["score"], ended["passed"]) == (10, True)
    again = v5("end", {**named(test_id, turn), "grade": True}, Idempotency_Key="end-once").body
    assert again == ended
    assert v5("end", {**named(test_id, turn), "grade": True})["grade_id"] == ended["grade_id"]
    assert len(v5("get", {"test_id": test_id})["entries"]["grades"]) == 1


def test_ids_of_other_things(admin, v5, slow, driven, other_workspace):
    test_id, turn = slow
    good = named(test_id, turn)
    for name in ("run", "end"):
        for change in ({"test_id": some_id()}, {"test_id": driven}, {"test_invocation_id": some_id()},
                       {"run_id": some_id()}, {"run_id": turn["invocation_id"]}):
            v5(name, {**good, **change}, 404)
        assert len(v5(name, {}, 422)["detail"]) == 3
        other_workspace.post(V5 + name, good, 404)
    v5("next", {"test_id": some_id()}, 404)
    v5("next", {}, 422)
    other_workspace.post(V5 + "next", {"test_id": test_id}, 404)


def test_of_two_clients_one_runs_the_cell(v5, slow):
    test_id, turn = slow
    v5("run", named(test_id, turn))
    v5("stop", {"invocation_id": turn["invocation_id"]})
    # A run that was cut off does not begin again under its own id.
    assert v5("run", named(test_id, turn), 409)["code"] == "run_ended"


def test_stop_by_invocation_alone(admin, v5, slow):
    test_id, turn = slow
    v5("run", named(test_id, turn))
    stopped = v5("stop", {"invocation_id": turn["invocation_id"]}).body
    assert stopped["success"] and stopped["invocation_id"] == turn["invocation_id"] and stopped["message"]
    assert invocations(admin, test_id)[0]["status"] == "terminated"
    assert v5("end", {**named(test_id, turn), "score": 5}, 409)["code"] == "invocation_terminated"
    assert v5("end", named(test_id, turn))["grade_id"] is None
    v5("stop", {"test_id": test_id}, 422)
    v5("stop", {"invocation_id": some_id()}, 404)


def test_nothing_goes_on_after_complete(admin, v5, slow):
    test_id, turn = slow
    admin.post("/test/complete", {"test_id": test_id})
    for name, body in (("next", {"test_id": test_id}), ("run", named(test_id, turn)),
                       ("end", named(test_id, turn)), ("stop", {"invocation_id": turn["invocation_id"]})):
        assert v5(name, body, 409)["code"] == "test_completed"


def test_archive_is_true_unless_it_says_otherwise(v5, slow):
    test_id, _ = slow
    for asked, count in (({}, 1), ({}, 0), ({"archived": True}, 0), ({"archived": False}, 1),
                         ({"archived": False}, 0)):
        assert v5("archive", {"test_ids": [test_id], **asked})["updated_count"] == count
    v5("archive", {"test_ids": [some_id()]}, 404)
    v5("archive", {"test_ids": []}, 422)


def test_reads_are_those_of_the_newer_surface(admin, v5, catalog, done):
    old, new = v5("get", {"test_id": done["test_id"]}).body, admin.post("/test/get", done).body
    for name in ("test", "invocations", "runs", "status", "status_summary", "resources", "eval_name"):
        assert old[name] == new[name]
    v5("get", {"test_id": some_id()}, 404)
    v5("get", {}, 422)
    asked = {"eval_ids": [catalog["eval"]], "page_size": 2, "page_offset": 0, "is_archived": False}
    assert v5("search", asked).body == admin.post("/test/search", asked).body
    assert v5("search", {"eval_search": "gsm", "department_search": ""})["eval_filter"]["search"] == "gsm"
    v5("search", {"page_size": 0}, 422)
    refreshed = v5("refresh").body
    assert refreshed["success"] and refreshed["refreshed_views"] and refreshed["invalidated_tags"]


def test_who_may(v5, driven, with_role, server):
    learner, nobody = with_role("learner"), server.client("")
    assert learner.post(V5 + "get", {"test_id": driven})["status"] == "running"
    for name in ("start", "next", "run", "end", "stop", "archive", "refresh"):
        learner.post(V5 + name, {}, 403)
    for name in ("get", "search", "next", "end"):
        nobody.post(V5 + name, {}, 401)


def test_the_mcp_channel(admin, v5, slow):
    test_id, turn = slow
    v5("run", named(test_id, turn), X_MCP="true")
    v5("end", {**named(test_id, turn), "score": 3}, X_MCP="true")
    entries = v5("get", {"test_id": test_id})["entries"]
    assert entries["runs"][0]["mcp"] and entries["grades"][0]["mcp"]


def test_an_api_key_in_its_own_header(server, driven):
    nobody = server.client("")
    assert nobody.post(V5 + "get", {"test_id": driven}, X_Api_Key=server.key).status == 200


def test_graded_cells_stand_in_the_rollup(admin, v5, catalog):
    test_id = v5("start", {"benchmark_id": catalog["eval"]})["test_id"]
    turn = v5("next", {"test_id": test_id}).body
    v5("end", {**named(test_id, turn), "score": 10})
    line = next(m for m in admin.post("/test/benchmark", {"test_id": test_id})["models"] if m["graded"])
    assert line["graded"] == 1 and line["accuracy"] == 1
    admin.post("/test/stop", {"test_id": test_id})
    assert finished(admin, test_id)["graded"] == 1
