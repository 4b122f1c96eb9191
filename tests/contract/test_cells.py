from conftest import invocations
from server import some_id


def rubric_group(admin, test_id):
    return next(iter(admin.post("/test/get", {"test_id": test_id})["resources"]["standard_groups"]))


def test_run_by_hand_complete_grade_feedback(admin, manual):
    cell = manual["invocation_id"]
    run = admin.post("/test/invocation_run", {"invocation_id": cell}).body
    assert run["success"] and run["test_invocation_run_id"]
    assert admin.post("/test/invocation_run", {"invocation_id": cell}, status=409)["code"] == "invocation_running"
    admin.post("/test/grade", {"invocation_id": cell, "score": 3}, status=409)
    ended = admin.post("/test/invocation_complete", {"test_id": manual["test_id"], "test_invocation_id": cell,
                                                     "message": "by hand"}).body
    assert ended["invocation_id"] == cell and ended["completion_id"] and ended["success"]

    grade = admin.post("/test/grade", {"invocation_id": cell, "score": 7,
                                       "run_id": run["test_invocation_run_id"]}).body
    assert (grade["score"], grade["total_points"], grade["passed"]) == (7, 10, False)
    best = admin.post("/test/grade", {"invocation_id": cell, "full": True}).body
    assert best["score"] == 10 and best["passed"] and best["grade_id"] != grade["grade_id"]
    row = invocations(admin, manual["test_id"])[0]
    assert row["grade_id"] == best["grade_id"] and row["grade_score"] == 10

    detail = admin.post("/test/get", {"test_id": manual["test_id"]})["invocation_details"][0]
    call = detail["runs"][0]["call_ids"][0]
    said = admin.post("/test/feedback", {
        "grade_id": best["grade_id"], "tool_call_id": call,
        "standard_group_id": rubric_group(admin, manual["test_id"]), "score": 4, "feedback": "Solid, but ..."}).body
    assert said["feedback_id"] and said["total"] == 4 and said["feedback"] == "Solid, but ..."
    body = admin.post("/test/get", {"test_id": manual["test_id"]}).body
    assert body["entries"]["feedback"][0]["feedback"] == "Solid, but ..."
    assert body["invocation_details"][0]["runs"][0]["feedbacks"][0]["total"] == 4


def test_grade_bounds(admin, done):
    cell = done["invocation_id"]
    for score in (-1, 11, 10**12):
        assert admin.post("/test/grade", {"invocation_id": cell, "score": score}, status=422)
    admin.post("/test/grade", {"invocation_id": cell}, status=422)
    admin.post("/test/grade", {"invocation_id": cell, "score": 1.5}, status=422)
    admin.post("/test/grade", {"invocation_id": some_id(), "score": 1}, status=404)
    admin.post("/test/grade", {"invocation_id": cell, "score": 1, "run_id": some_id()}, status=404)


def test_feedback_needs_its_parts(admin, done):
    body = admin.post("/test/get", {"test_id": done["test_id"]}).body
    grade = body["invocations"][0]["grade_id"]
    call = body["invocation_details"][0]["runs"][0]["call_ids"][0]
    foreign = body["invocation_details"][1]["runs"][0]["call_ids"][0]
    group = rubric_group(admin, done["test_id"])
    good = {"grade_id": grade, "tool_call_id": call, "standard_group_id": group, "score": 5}
    for change, status in (({"score": 0}, 422), ({"score": 6}, 422), ({"grade_id": some_id()}, 404),
                           ({"tool_call_id": foreign}, 404), ({"tool_call_id": some_id()}, 404),
                           ({"standard_group_id": some_id()}, 422)):
        admin.post("/test/feedback", {**good, **change}, status=status)
    assert body["entries"]["feedback"] == admin.post("/test/get", {"test_id": done["test_id"]})["entries"]["feedback"]
    admin.post("/test/feedback", good)


def test_terminate_both_forms_and_fire_again(admin, manual):
    first, second = (i["invocation_id"] for i in invocations(admin, manual["test_id"]))
    queued = admin.post("/test/invocation_terminate", {"invocation_id": second, "message": "no"}).body
    assert queued["test_invocation_run_id"] is None and queued["success"]
    run = admin.post("/test/invocation_run", {"invocation_id": first})["test_invocation_run_id"]
    ended = admin.post("/test/invocation_terminate", {"test_invocation_run_id": run}).body
    assert ended["test_invocation_run_id"] == run
    again = admin.post("/test/invocation_run", {"invocation_id": first})["test_invocation_run_id"]
    assert again != run
    assert admin.post("/test/invocation_terminate", {"test_invocation_run_id": run}, status=409)["code"] == "run_ended"
    by_client = admin.post("/test/invocation_terminate", {"test_invocation_run_id": again, "success": True}).body
    assert by_client["completion_id"]
    assert [i["status"] for i in invocations(admin, manual["test_id"])] == ["completed", "terminated"]
    admin.post("/test/invocation_terminate", {"test_invocation_run_id": some_id()}, status=404)
    admin.post("/test/invocation_terminate", {}, status=422)


def test_run_by_binding(admin, done):
    detail = admin.post("/test/get", {"test_id": done["test_id"]})["invocation_details"][0]
    asked = {"test_id": done["test_id"], "test_invocation_id": detail["invocation_id"],
             "run_id": detail["primary_run_id"]}
    assert admin.post("/test/invocation_run", asked)["test_invocation_run_id"] == detail["primary_run_id"]
    admin.post("/test/invocation_run", {**asked, "run_id": some_id()}, status=404)
    admin.post("/test/invocation_run", {**asked, "test_id": some_id()}, status=404)
    assert len(admin.post("/test/invocation_run", {"test_id": done["test_id"]}, status=422)["detail"]) == 2


def test_create_beside_the_grid(admin, catalog, silent_eval, manual):
    made = admin.post("/test/invocation_create", {
        "test_id": manual["test_id"], "title": "one more", "use_custom": True, "position": 9,
        "scenario_id": catalog["scenarios"][1], "model_id": silent_eval[0]}).body
    row = invocations(admin, manual["test_id"])[-1]
    assert row["invocation_id"] == made["invocation_id"] and row["position"] == 2
    assert row["invocation_title"] == "one more" and row["use_custom"]
    assert row["scenario_id"] == catalog["scenarios"][1]
    like = admin.post("/test/invocation_create", {"test_id": manual["test_id"],
                                                  "invocation_id": made["invocation_id"]})
    assert invocations(admin, manual["test_id"])[-1]["scenario_id"] == catalog["scenarios"][1]
    assert like["invocation_id"] != made["invocation_id"]
    admin.post("/test/invocation_create", {"test_id": manual["test_id"], "model_id": some_id()}, status=422)
    admin.post("/test/invocation_create", {"test_id": manual["test_id"], "scenario_id": some_id()}, status=422)
    assert len(invocations(admin, manual["test_id"])) == 4


def test_trace_both_bodies(admin, done):
    cell = invocations(admin, done["test_id"])[2]["invocation_id"]
    first = admin.post("/test/invocation_trace", {"invocation_id": cell}).body
    assert first["trace"]["runs"][0]["messages"][1]["content"]
    same = admin.post("/test/invocation_trace", {"test_id": done["test_id"], "test_invocation_id": cell}).body
    assert same["test_invocation_trace_id"] == first["test_invocation_trace_id"]
    run = first["trace"]["runs"][0]["id"]
    bound = admin.post("/test/invocation_trace", {
        "test_id": done["test_id"], "test_invocation_id": cell, "run_id": run, "tool_ids": [some_id()],
        "prompt_text": "be brief", "instructions": ["one", "two"]}).body
    assert bound["test_invocation_trace_id"] != first["test_invocation_trace_id"]
    assert bound["trace"]["run_id"] == run
    newest = admin.post("/test/invocation_trace", {"invocation_id": cell}).body
    assert newest["test_invocation_trace_id"] == bound["test_invocation_trace_id"]
    entries = admin.post("/test/get", {"test_id": done["test_id"]})["entries"]["groups"]
    assert len([t for t in entries if t["test_invocation_id"] == cell]) == 2
    admin.post("/test/invocation_trace", {"invocation_id": cell, "run_id": some_id()}, status=404)
    admin.post("/test/invocation_trace", {"test_invocation_id": cell}, status=422)


def test_stopped_test_goes_on_when_a_cell_is_fired_again(admin, catalog):
    started = admin.post("/test/start", {"eval_id": catalog["eval"], "drive": "manual"}).body
    admin.post("/test/stop", {"test_id": started["test_id"]})
    admin.post("/test/invocation_run", {"invocation_id": started["invocation_id"]})
    assert admin.post("/test/get", {"test_id": started["test_id"]})["status"] == "running"


def test_mcp_channel_is_reported(admin, manual):
    admin.post("/test/invocation_run", {"invocation_id": manual["invocation_id"]}, X_MCP="1")
    runs = admin.post("/test/get", {"test_id": manual["test_id"]})["entries"]["runs"]
    assert runs[0]["mcp"] is True
