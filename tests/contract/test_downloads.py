"""Texts, calls and files by id: whole, in part, or not again."""
import pytest

from server import some_id


@pytest.fixture(scope="module")
def message(admin, done):
    """A message with its text: (id, role, bytes)."""
    trace = admin.post("/test/invocation_get", {"invocation_id": done["invocation_id"]})["trace"]
    one = trace["runs"][0]["messages"][1]
    return one["text_ids"][0], one["role"], one["content"].encode()


@pytest.fixture(scope="module")
def text(admin, message):
    return lambda status=200, path="/test/text/download", **headers: admin.post(
        path, {"text_id": message[0]}, status, **headers)


def test_a_text(text, message):
    answer = text()
    assert answer.raw == message[2] and answer.type == "text/plain"
    assert int(answer.headers["content-length"]) == len(message[2])
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == f'attachment; filename="{message[1]}-{message[0]}.txt"'
    assert text(path="/test/text_download").raw == message[2]


@pytest.mark.parametrize("asked, first, last", [("0-9", 0, 9), ("5-", 5, -1), ("-7", -7, -1), ("0-0", 0, 0),
                                                ("3-999999999", 3, -1)])
def test_a_part_of_a_text(text, message, asked, first, last):
    whole, size = message[2], len(message[2])
    first, last = first % size, last % size
    answer = text(206, Range=f"bytes={asked}")
    assert answer.raw == whole[first:last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"
    assert int(answer.headers["content-length"]) == last - first + 1


def test_a_part_that_is_not_there(text, message):
    refused = text(416, Range=f"bytes={len(message[2])}-")
    assert refused.headers["content-range"] == f"bytes */{len(message[2])}"
    assert refused["code"] == "range_not_satisfiable"
    for several in ("bytes=0-1,4-5", "bytes=x-y", "words=1-2"):
        assert text(Range=several).raw == message[2]


def test_not_again(text, message):
    tag = text().headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        answer = text(304, If_None_Match=known)
        assert answer.raw == b"" and answer.headers["etag"] == tag
    assert text(If_None_Match='"other"').raw == message[2]
    assert text(206, Range="bytes=0-3", If_Range=tag).raw == message[2][:4]
    assert text(Range="bytes=0-3", If_Range='"other"').raw == message[2]


def test_a_call(admin, done):
    body = admin.post("/test/get", {"test_id": done["test_id"]}).body
    call = body["entries"]["calls"][0]
    for path in ("/test/call/download", "/test/call_download"):
        answer = admin.post(path, {"call_id": call["id"]})
        assert answer.type == "application/json" and f'call-{call["id"]}.json' in answer.headers["content-disposition"]
        assert {k: answer[k] for k in call} == call
        assert [m["role"] for m in answer["messages"]] == ["user"] and answer["messages"][0]["content"]
        assert answer["answer"]["content"]


def test_ids_of_nothing(admin, done, other_workspace, message):
    body = admin.post("/test/get", {"test_id": done["test_id"]}).body
    call = body["entries"]["calls"][0]["id"]
    for path, name, wrong in (("/test/text/download", "text_id", call), ("/test/call/download", "call_id", message[0]),
                              ("/test/file/download", "file_id", call)):
        for given in (some_id(), wrong):
            admin.post(path, {name: given}, 404)
        admin.post(path, {name: "no id"}, 422)
        admin.post(path, {}, 422)
    other_workspace.post("/test/text/download", {"text_id": message[0]}, 404)
    other_workspace.post("/test/call/download", {"call_id": call}, 404)
    assert admin.send("GET", f"/api/test/download/{some_id()}").status == 404
    assert admin.send("GET", "/api/test/download/no-id").status == 404


def test_who_may_download(with_role, server, message):
    learner, nobody = with_role("learner"), server.client("")
    for path in ("/test/text/download", "/test/call/download", "/test/file/download"):
        learner.post(path, {}, 403)
        nobody.post(path, {}, 401)
    assert learner.send("GET", f"/api/test/download/{some_id()}").status == 403
