"""The plaintext of a provider's key: whom it is told, and what the log says of every attempt."""
import json
import os
import pathlib
import subprocess

import pytest

from server import some_id

SECRET = "sk-decrypt-me-0123456789-abcdefgh"


@pytest.fixture(scope="module")
def keyed(admin, catalog):
    """A test whose model is called with a key of its own; ids, and another key of the same provider."""
    provider = admin.create("provider", {"name": "keyed", "value": "openai", "endpoint": "http://127.0.0.1:1/v1",
                                         "key": SECRET})
    other = admin.create("key", {"name": "spare", "provider_id": provider, "key": "sk-spare-0123456789"})
    model = admin.create("model", {"name": "keyed", "value": "m", "provider_id": provider})
    eval_id = admin.create("eval", {"name": "keyed", "model_ids": [model], "scenario_ids": catalog["scenarios"][:1]})
    started = admin.post("/test/start", {"eval_id": eval_id, "drive": "manual"}).body
    key, = admin.post("/test/invocation_get", {"invocation_id": started["invocation_id"]})["keys"]
    name = admin.post("/key/get", {"key_id": key["key_id"]})["key"]["name"]
    return {"invocation_id": started["invocation_id"], "key_id": key["key_id"], "test_id": started["test_id"],
            "name": name, "other": other, "provider": provider, "eval": eval_id}


@pytest.fixture
def attempts(server):
    """What the log says of attempts since the test began; the log is read beside the server."""
    def read():
        program = pathlib.Path(os.environ["ASSAYD"]).with_name("assay")
        dump = subprocess.run([program, "--data", server.data, "--json", "log", "dump"], check=True,
                              capture_output=True, text=True).stdout
        assert SECRET not in dump
        commits = [json.loads(line) for line in dump.splitlines()]
        return [(e["payload"], c["envelope"]) for c in commits for e in c["events"]
                if e["type"] == "decrypt.attempted"]
    before = len(read())
    return lambda: read()[before:]


def asked(keyed, **change):
    return {"invocation_id": keyed["invocation_id"], "key_id": keyed["key_id"], **change}


def test_the_key_of_an_invocation(admin, keyed, attempts):
    answer = admin.post("/test/decrypt", asked(keyed, snapshot_key="any"))
    assert answer.body == {"key": SECRET, "name": keyed["name"], "actor_name": "administrator"}
    assert answer.headers["cache-control"] == "no-store" and answer.headers["x-cache-hit"] == "0"
    assert admin.post("/test/invocation/decrypt", asked(keyed), X_Bypass_Cache="1")["key"] == SECRET
    (first, envelope), (second, _) = attempts()
    assert first == second == {"invocation": keyed["invocation_id"], "key": keyed["key_id"], "granted": True,
                               "reason": ""}
    assert envelope["operation"] == "test.decrypt" and envelope["profile"]


def test_every_attempt_is_one_also_with_an_idempotency_key(admin, keyed, attempts):
    for _ in range(2):
        assert admin.post("/test/decrypt", asked(keyed), Idempotency_Key="same")["key"] == SECRET
    assert admin.post("/test/decrypt", asked(keyed, key_id=keyed["other"]), 403, Idempotency_Key="same")
    assert [a["granted"] for a, _ in attempts()] == [True, True, False]


def test_a_key_that_is_not_of_the_invocation(admin, keyed, attempts):
    refused = [admin.post("/test/decrypt", asked(keyed, key_id=key), 403).body for key in (keyed["other"], some_id())]
    assert refused[0] == refused[1], "a key that does not exist is refused in the same words"
    assert refused[0]["code"] == "key_not_of_invocation" and SECRET not in json.dumps(refused)
    assert [(a["granted"], a["reason"]) for a, _ in attempts()] == [(False, "key_not_of_invocation")] * 2


def test_who_lacks_the_permission_is_refused_and_recorded(keyed, with_role, attempts):
    learner = with_role("learner")
    assert learner.post("/test/decrypt", asked(keyed), 403)["detail"]
    learner.post("/test/decrypt", {}, 403)
    assert [(a["granted"], a["reason"]) for a, _ in attempts()] == [(False, "permission_missing")] * 2


def test_another_workspace_s_invocation_is_unknown(admin, other_workspace, keyed, attempts):
    theirs = other_workspace.post("/test/decrypt", asked(keyed), 404).body
    assert theirs == admin.post("/test/decrypt", asked(keyed, invocation_id=some_id()), 404).body
    admin.post("/test/decrypt", asked(keyed, invocation_id=keyed["test_id"]), 404)
    assert [a["granted"] for a, _ in attempts()] == [False] * 3
    assert len({e["workspace"] for _, e in attempts()}) == 2, "an attempt belongs to who made it"


def test_another_department_s_invocation(admin, catalog, keyed, with_role, attempts):
    mine, theirs = (admin.create("department", {"name": n}) for n in ("decrypters", "keyed ones"))
    admin.post("/eval/update", {"evals": [{"id": keyed["eval"], "department_ids": [theirs]}]})
    started = admin.post("/test/start", {"eval_id": keyed["eval"], "drive": "manual"}).body
    member = with_role("instructor", department_ids=[mine])
    refused = member.post("/test/decrypt", asked(keyed, invocation_id=started["invocation_id"]), 403)
    assert refused["code"] == "other_department"
    (attempt, _), = attempts()
    assert attempt["reason"] == "other_department"


def test_bad_requests_are_no_attempts(admin, keyed, server, attempts):
    for bad in ({}, {"key_id": "no id"}, {"invocation_id": keyed["invocation_id"]}):
        admin.post("/test/decrypt", bad, 422)
    server.client("").post("/test/decrypt", asked(keyed), 401)
    assert attempts() == []


def test_a_completed_test_still_tells_and_a_deleted_key_does_not(admin, keyed, attempts):
    started = admin.post("/test/start", {"eval_id": keyed["eval"], "drive": "manual"}).body
    admin.post("/test/complete", {"test_id": started["test_id"]})
    cell = asked(keyed, invocation_id=started["invocation_id"])
    assert admin.post("/test/decrypt", cell)["key"] == SECRET
    admin.post("/key/delete", {"key_ids": [keyed["key_id"]]})
    assert admin.post("/test/decrypt", cell, 410)["code"] == "key_deleted"
    assert [(a["granted"], a["reason"]) for a, _ in attempts()] == [(True, ""), (False, "key_deleted")]
