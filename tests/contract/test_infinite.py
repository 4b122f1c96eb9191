"""infinite_mode: repeats are queued as old ones finish."""
from conftest import finished, invocations
from server import some_id


def test_it_goes_on_until_max_repeats(admin, catalog):
    body = {"eval_id": catalog["eval"], "model_ids": catalog["models"][:1], "infinite_mode": True, "max_repeats": 5}
    started = admin.post("/test/start", body)
    assert finished(admin, started["test_id"])["total"] == 20
    got = admin.post("/test/get", {"test_id": started["test_id"]}).body
    assert got["infinite_mode"] and got["status"] == "running" and len(got["invocations"]) == 20
    assert sorted({i["repeat"] for i in got["invocations"]}) == [0, 1, 2, 3, 4]
    line, = admin.post("/test/benchmark", {"test_id": started["test_id"]})["models"]
    assert line["cells"] == 20 == line["graded"]


def test_a_stop_ends_it(admin, silent_eval):
    asked = {"eval_id": silent_eval[1], "infinite_mode": True, "max_repeats": 100, "drive": "manual"}
    started = admin.post("/test/start", asked).body
    test, cells = started["test_id"], [i["invocation_id"] for i in invocations(admin, started["test_id"])]
    complete = lambda cell: admin.post("/test/invocation_complete", {"test_id": test, "test_invocation_id": cell})
    stream = admin.watch(f"test_id={test}")
    complete(cells[0])
    assert len(invocations(admin, test)) == 2
    complete(cells[1])
    assert len(invocations(admin, test)) == 4
    assert stream.until("test.extend.completed")[-1][1]["payload"]["repeats"] == 2
    stream.close()
    assert admin.post("/test/stop", {"test_id": test})["queued"] == 2
    admin.post("/test/invocation_run", {"invocation_id": cells[-1]}, status=409)
    fired = invocations(admin, test)[-1]["invocation_id"]
    admin.post("/test/invocation_run", {"invocation_id": fired})
    complete(fired)
    assert len(invocations(admin, test)) == 4, "after a stop nothing is added"


def test_it_needs_an_end(admin, catalog):
    asked = {"eval_id": catalog["eval"], "infinite_mode": True}
    for more in ({}, {"max_repeats": 2, "repeats": 3}, {"max_repeats": 0}, {"max_repeats": 10**7}):
        answer = admin.post("/test/start", {**asked, **more}, status=422)
        assert answer["detail"][0]["loc"] == ["body", "max_repeats"]


def test_an_eval_may_say_so(admin, catalog):
    endless = admin.create("eval", {"name": "endless", "model_ids": catalog["models"][:1], "infinite_mode": True,
                                    "max_repeats": 3, "scenario_ids": catalog["scenarios"][:1],
                                    "rubric_ids": [catalog["rubric"]]})
    assert finished(admin, admin.post("/test/start", {"eval_id": endless})["test_id"])["total"] == 3
    once = admin.post("/test/start", {"eval_id": endless, "infinite_mode": False})
    assert finished(admin, once["test_id"])["total"] == 1
