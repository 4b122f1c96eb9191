"""Idempotency and event streams, also across restarts: on a server of their own."""
import signal

import pytest

from conftest import finished, invocations
from server import Server, SilentHost, make_catalog, make_silent_eval, some_id


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    one = Server(tmp_path_factory.mktemp("own") / "assay")
    yield one
    one.stop()


@pytest.fixture(scope="module")
def items(own):
    made = make_catalog(own.client())
    made["silent"] = make_silent_eval(own.client(), made, SilentHost())[1]
    return made


def writes(client, items):
    """One of every write, each with what it needs made before: (path, body)."""
    started = client.post("/test/start", {"eval_id": items["silent"], "repeats": 3, "drive": "manual"}).body
    test, cell = started["test_id"], started["invocation_id"]
    cells = [i["invocation_id"] for i in invocations(client, test)]
    yield "/test/start", {"eval_id": items["eval"], "drive": "manual", "name": "once"}
    yield "/test/invocation_run", {"invocation_id": cells[1]}
    yield "/test/invocation_terminate", {"invocation_id": cells[2]}
    client.post("/test/invocation_run", {"invocation_id": cell})
    yield "/test/invocation_complete", {"test_id": test, "test_invocation_id": cell}
    yield "/test/grade", {"invocation_id": cell, "score": 4}
    grade = client.post("/test/grade", {"invocation_id": cell, "score": 9})["grade_id"]
    body = client.post("/test/get", {"test_id": test}).body
    detail = next(d for d in body["invocation_details"] if d["invocation_id"] == cell)
    yield "/test/feedback", {"grade_id": grade, "tool_call_id": detail["runs"][0]["call_ids"][0],
                             "standard_group_id": next(iter(body["resources"]["standard_groups"])),
                             "score": 2, "feedback": "hm"}
    yield "/test/invocation_trace", {"invocation_id": cell, "prompt_text": "p"}
    yield "/test/invocation_create", {"test_id": test, "title": "extra"}
    v5 = "/api/v5/artifacts/test/"
    for name, more in (("run", {}), ("end", {"score": 5, "feedback": "hm"})):
        turn = client.post(v5 + "next", {"test_id": test})
        yield v5 + name, {"test_id": test, "test_invocation_id": turn["invocation_id"], "run_id": turn["run_id"], **more}
    yield v5 + "start", {"benchmark_id": items["eval"]}
    yield v5 + "archive", {"test_ids": [test]}
    yield v5 + "export", {"test_id": test}
    yield "/test/export", {"test_id": test}
    yield "/test/draft", {"name": "once", "description": "d"}
    yield "/test/draft", {"name": "waits", "soft": True}
    yield "/test/title", {"group_id": invocations(client, test)[0]["group_id"], "title": "once"}
    yield "/test/problem", {"type": "bug", "message": "once"}
    yield "/test/stop", {"test_id": test}
    yield "/test/complete", {"test_id": test}
    yield "/test/archive", {"test_ids": [test], "archived": False}
    yield "/model/create", {"models": [{"name": "m1"}, {"name": "m2"}]}
    yield "/provider/create", {"providers": [{"name": "p", "key": "sk-0123456789abcdefg"}]}
    yield "/model/update", {"models": [{"id": items["models"][0], "description": "changed"}]}
    doomed = client.create("model", {"name": "doomed"})
    yield "/model/delete", {"model_ids": [doomed]}


def test_an_earlier_answer_wins_over_what_has_become_of_the_eval(own, items):
    client = own.client()
    doomed = client.create("eval", {"name": "doomed", "model_ids": items["models"][:1],
                                    "scenario_ids": items["scenarios"][:1], "rubric_ids": [items["rubric"]]})
    asked = {"eval_id": doomed, "drive": "manual", "idempotency_key": some_id()}
    first = client.post("/test/start", asked)
    client.post("/eval/delete", {"eval_ids": [doomed]})
    assert client.post("/test/start", asked).raw == first.raw
    client.post("/test/start", {**asked, "name": "other"}, status=422)
    client.post("/test/start", {**asked, "idempotency_key": some_id()}, status=404)


def test_the_same_key_and_body_answer_the_same_bytes_also_after_a_restart(own, items):
    client = own.client()
    done = []
    for number, (path, body) in enumerate(writes(client, items)):
        if number % 2:
            headers, body = {}, {**body, "idempotency_key": f"key-{number}"}
        else:
            headers = {"Idempotency_Key": f"key-{number}"}
        first = client.post(path, body, **headers)
        assert client.post(path, body, **headers).raw == first.raw, path
        done.append((path, body, headers, first.raw))
    own.restart(signal.SIGKILL)
    position = client.send("GET", "/readyz")["position"]
    for path, body, headers, raw in done:
        assert client.post(path, body, **headers).raw == raw, path
        changed = {**body, "unheard_of": 1}
        answer = client.post(path, changed, status=422, **headers)
        assert answer["detail"][0]["type"] == "idempotency_key_reused", path
    assert client.send("GET", "/readyz")["position"] == position, "nothing was written"


def test_a_replayed_provider_keeps_its_first_secret(own):
    client = own.client()
    body = {"providers": [{"name": "q", "key": "sk-first-0123456789"}]}
    first = client.post("/provider/create", body, Idempotency_Key="secret")
    body["providers"][0]["key"] = "sk-second-0123456789"
    client.post("/provider/create", body, status=422, Idempotency_Key="secret")
    key, = first["providers"][0]["key_ids"]
    assert client.post("/key/get", {"id": key})["key"]["key_masked"].endswith("6789")


def test_keys_belong_to_one_operation_and_profile(own, items):
    client = own.client()
    started = client.post("/test/start", {"eval_id": items["eval"], "drive": "manual"}, Idempotency_Key="shared").body
    client.post("/test/stop", {"test_id": started["test_id"]}, Idempotency_Key="shared")
    client.post("/test/stop", {"test_id": started["test_id"], "idempotency_key": "a"}, status=422, Idempotency_Key="b")
    client.post("/test/stop", {"test_id": started["test_id"], "idempotency_key": ""}, status=422)


def test_stream_of_a_test_resumes_without_gap_or_repeat(own, items):
    client = own.client()
    started = client.post("/test/start", {"eval_id": items["silent"], "repeats": 4, "drive": "manual"}).body
    test = started["test_id"]
    cells = [i["invocation_id"] for i in invocations(client, test)]
    stream = client.watch(f"test_id={test}")
    client.post("/test/invocation_run", {"invocation_id": cells[0]})
    client.post("/test/invocation_terminate", {"invocation_id": cells[0]})
    first = stream.until("invocation.terminate.completed")
    assert [e["event_type"] for _, e in first] == ["invocation.run.started", "invocation.terminate.completed"]
    stream.close()

    for cell in cells[1:6]:
        client.post("/test/invocation_run", {"invocation_id": cell})
    resumed = client.watch(f"test_id={test}", last=first[0][0])
    client.post("/test/complete", {"test_id": test})
    rest = resumed.until("test.complete.completed")
    assert [e["event_type"] for _, e in rest] == \
        ["invocation.terminate.completed"] + ["invocation.run.started"] * 5 + ["test.complete.completed"]
    resumed.close()

    own.restart()
    everything = client.watch(f"test_id={test}", last="0.0")
    seen = everything.until("test.complete.completed")
    assert seen[0][1]["event_type"] == "test.start.completed"
    assert [i for i, _ in seen[1:]] == [i for i, _ in first] + [i for i, _ in rest[1:]]
    assert len({i for i, _ in seen}) == len(seen)
    everything.close()


def test_stream_of_a_run_ends_with_it(own, items):
    client = own.client()
    started = client.post("/test/start", {"eval_id": items["eval"]}).body
    finished(client, started["test_id"])
    detail = client.post("/test/get", {"test_id": started["test_id"]})["invocation_details"][0]
    stream = client.watch(f"run_id={detail['primary_run_id']}")
    seen = []
    while event := stream.next():
        seen.append(event[1])
    assert [e["event_type"] for e in seen] == ["invocation.run.started", "invocation.call.completed",
                                               "invocation.run.completed", "invocation.grade.completed"]
    assert all(e["run_id"] == detail["primary_run_id"] for e in seen)


def test_stream_by_group_sees_every_cell_run(own, items):
    client = own.client()
    manual = client.post("/test/start", {"eval_id": items["eval"], "drive": "manual"}).body
    group = client.post("/test/get", {"test_id": manual["test_id"]})["configs_groups"][0]["group_id"]
    stream = client.watch(f"group_id={group}")
    for cell in invocations(client, manual["test_id"]):
        client.post("/test/invocation_complete", {"test_id": manual["test_id"],
                                                  "test_invocation_id": cell["invocation_id"]})
    client.post("/test/stop", {"test_id": manual["test_id"]})
    seen = [e for _, e in stream.until("test.stop.completed")]
    assert len([e for e in seen if e["event_type"] == "invocation.complete.completed"]) == 8
    stream.close()


def test_watch_refusals(own, items):
    client = own.client()
    for query, status in (("", 422), ("?group_id=x", 422), (f"?group_id={some_id()}", 404),
                          (f"?run_id={some_id()}", 404), (f"?test_id={some_id()}", 404)):
        assert client.send("GET", "/test/watch" + query).status == status, query


def test_watch_once_waits_for_a_run(own, items):
    client = own.client()
    manual = client.post("/test/start", {"eval_id": items["silent"], "drive": "manual"}).body
    group = client.post("/test/get", {"test_id": manual["test_id"]})["configs_groups"][0]["group_id"]
    run = client.post("/test/invocation_run", {"invocation_id": manual["invocation_id"]})["test_invocation_run_id"]
    now = client.post("/test/watch", {"group_id": group}).body
    assert [(r["run_id"], r["status"]) for r in now["runs"]] == [(run, "pending")] and not now["timed_out"]
    late = client.post("/test/watch", {"group_id": group, "run_id": run, "wait_for_complete": True,
                                       "timeout_seconds": 1}).body
    assert late["timed_out"] and late["waited_seconds"] >= 1
    client.post("/test/invocation_terminate", {"test_invocation_run_id": run})
    over = client.post("/test/watch", {"group_id": group, "run_id": run, "wait_for_complete": True}).body
    assert over["runs"][0]["status"] == "failed" and not over["timed_out"]
