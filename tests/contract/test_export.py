"""Exports: ZIPs of CSV and JSON lines with a manifest, made once and downloaded as often as wanted."""
import base64
import csv
import datetime
import hashlib
import io
import json
import random
import zipfile

import pytest

from conftest import finished, invocations
from server import Server, SilentHost, make_catalog, make_silent_eval, some_id

BELOW = ["runs", "messages", "calls", "grades", "scores", "feedback"]


def download(client, file_id, **headers):
    return client.post("/test/file/download", {"file_id": file_id}, **headers)


class Bundle:
    """A ZIP taken apart; every table is read in both forms and held against the manifest."""

    def __init__(self, raw):
        archive = zipfile.ZipFile(io.BytesIO(raw))
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[-1] == "manifest.json"
        self.manifest = json.loads(archive.read("manifest.json"))
        assert [f["name"] for f in self.manifest["files"]] == names[:-1]
        for entry in self.manifest["files"]:
            data = archive.read(entry["name"])
            assert (entry["bytes"], entry["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        self.times = {i.date_time for i in archive.infolist()}
        self.tables = {n[:-4]: self.table(archive, n[:-4]) for n in names if n.endswith(".csv")}

    @staticmethod
    def table(archive, name):
        header, *lines = csv.reader(io.StringIO(archive.read(name + ".csv").decode(), newline=""))
        rows = [json.loads(line) for line in archive.read(name + ".jsonl").splitlines()]
        assert len(rows) == len(lines)
        for row, line in zip(rows, lines):
            assert list(row) == header
            for value, text in zip(row.values(), line):
                expected = "" if value is None else value if isinstance(value, str) else json.dumps(value)
                if isinstance(value, float):
                    assert float(text) == value
                else:
                    assert text == expected
        return rows


@pytest.fixture(scope="module")
def exported(admin, done):
    """Makes an export; its answer and what is in it."""
    def make(**asked):
        answer = admin.post("/test/export", asked).body
        return answer, Bundle(download(admin, answer["file_id"]).raw)
    return make


def test_a_whole_test(admin, catalog, done, exported):
    answer, bundle = exported(test_id=done["test_id"])
    body = admin.post("/test/get", {"test_id": done["test_id"]}).body
    assert list(bundle.tables) == ["invocations", *BELOW, "models", "standards", "scenarios"]
    rows = bundle.tables["invocations"]
    assert answer["row_count"] == len(rows) == len(body["invocations"])
    assert answer["file_name"] == body["test"]["test_name"] + "-single.zip"
    for row, cell in zip(rows, body["invocations"]):
        assert row["invocation_id"] == cell["invocation_id"] and row["status"] == cell["status"]
        assert (row["score"], row["passed"], row["grade_id"]) \
            == (cell["grade_score"], cell["grade_passed"], cell["grade_id"])
        assert (row["model_id"], row["scenario_id"]) == (cell["model_id"], cell["scenario_id"])
    assert rows[0]["scenario_name"] == "q0" and rows[0]["eval_name"] == body["eval_name"]
    for table, entries, name, other in (("runs", "runs", "run_id", "id"), ("calls", "calls", "call_id", "id"),
                                        ("grades", "grades", "grade_id", "id"),
                                        ("messages", "messages", "message_id", "message_id"),
                                        ("feedback", "feedback", "feedback_id", "feedback_id")):
        assert [r[name] for r in bundle.tables[table]] == [e[other] for e in body["entries"][entries]], table
    assert all(m["content"] for m in bundle.tables["messages"])
    models = admin.post("/test/benchmark", {"test_id": done["test_id"]})["models"]
    assert [(r["model_id"], r["graded"], r["accuracy"]) for r in bundle.tables["models"]] \
        == [(m["model_id"], m["graded"], m["accuracy"]) for m in models]
    assert len(bundle.tables["scenarios"]) == 8 and len(bundle.tables["standards"]) == 2
    at = datetime.datetime.fromisoformat(bundle.manifest["as_of"].replace("Z", "+00:00"))
    assert bundle.times == {(at.year, at.month, at.day, at.hour, at.minute, at.second // 2 * 2)}
    assert bundle.manifest["test_id"] == done["test_id"] and bundle.manifest["view"] == "single"


def test_views_and_their_parts(admin, done, exported):
    for view in ("invocation", "invocations"):
        answer, bundle = exported(view=view, test_id=done["test_id"])
        assert list(bundle.tables) == ["invocations", *BELOW] and answer["row_count"] == 8
        assert bundle.manifest["view"] == "invocations"
    answer, bundle = exported(view="invocations", test_id=done["test_id"], mode="calls")
    assert list(bundle.tables) == ["calls"] and answer["row_count"] == len(bundle.tables["calls"])
    one = invocations(admin, done["test_id"])[3]["invocation_id"]
    answer, bundle = exported(view="invocation", test_id=done["test_id"], invocation_id=one)
    assert answer["row_count"] == 1
    assert {r["invocation_id"] for t in bundle.tables.values() for r in t} == {one}
    answer, bundle = exported(view="benchmark", test_id=done["test_id"])
    assert list(bundle.tables) == ["models", "standards", "scenarios"] and answer["row_count"] == 2


def test_the_benchmark_of_all_tests(admin, exported):
    answer, bundle = exported(view="benchmark")
    total = admin.post("/test/search", {"page_size": 1})["total_count"] \
        + admin.post("/test/search", {"page_size": 1, "is_archived": True})["total_count"]
    assert answer["row_count"] == len(bundle.tables["tests"]) == total
    assert list(bundle.tables) == ["tests", "models"] and bundle.manifest["test_id"] is None
    started = [t["started_at"] for t in bundle.tables["tests"]]
    assert started == sorted(started)


def test_the_same_position_gives_the_same_bytes(admin, done):
    asked = {"test_id": done["test_id"], "snapshot_key": some_id()}
    first = admin.post("/test/export", asked).body
    admin.post("/test/start", {"eval_id": admin.post("/test/get", done)["test"]["eval_id"], "drive": "manual"})
    second = admin.post("/test/export", asked).body
    assert first["file_id"] != second["file_id"]
    one, two = download(admin, first["file_id"]), download(admin, second["file_id"])
    assert one.raw == two.raw and one.headers["etag"] == two.headers["etag"]
    assert Bundle(one.raw).manifest["checkpoint"]["size"] > 0 and len(Bundle(one.raw).times) == 1
    later = admin.post("/test/export", {"test_id": done["test_id"]}).body
    assert download(admin, later["file_id"]).headers["etag"] != one.headers["etag"], "the log has moved on"


def test_downloads_of_a_file(admin, done):
    made = admin.post("/test/export", {"test_id": done["test_id"]}).body
    whole = download(admin, made["file_id"])
    assert whole.type == "application/zip" and int(whole.headers["content-length"]) == len(whole.raw)
    assert f'filename="{made["file_name"]}"' in whole.headers["content-disposition"]
    by_get = admin.send("GET", f"/api/test/download/{made['file_id']}")
    alias = admin.post("/test/file_download", {"file_id": made["file_id"]})
    assert by_get.raw == alias.raw == whole.raw
    head = admin.send("HEAD", f"/api/test/download/{made['file_id']}")
    assert head.raw == b"" and int(head.headers["content-length"]) == len(whole.raw)
    part = admin.send("GET", f"/api/test/download/{made['file_id']}", headers={"Range": "bytes=10-19"})
    assert (part.status, part.raw) == (206, whole.raw[10:20])
    tail = admin.send("GET", f"/api/test/download/{made['file_id']}", headers={"Range": "bytes=-100"})
    assert (tail.status, tail.raw) == (206, whole.raw[-100:])
    known = admin.send("GET", f"/api/test/download/{made['file_id']}", headers={"If-None-Match": whole.headers["etag"]})
    assert (known.status, known.raw) == (304, b"")


def test_a_name_beyond_ascii(admin, catalog):
    started = admin.post("/test/start", {"eval_id": catalog["eval"], "drive": "manual",
                                         "name": "Pr\u00fcfung \"eins\" / 1"}).body
    made = admin.post("/test/export", {"test_id": started["test_id"]}).body
    assert made["file_name"] == "Pr\u00fcfung \"eins\" _ 1-single.zip"
    assert download(admin, made["file_id"]).headers["content-disposition"] == (
        'attachment; filename="Pr_fung _eins_ _ 1-single.zip"; '
        "filename*=UTF-8''Pr%C3%BCfung%20%22eins%22%20_%201-single.zip")


@pytest.fixture
def own(tmp_path):
    one = Server(tmp_path / "assay")
    yield one
    assert one.stop() == 0


def noise(count):
    """Texts that hardly compress."""
    letters = random.Random(7)
    return ["".join(chr(letters.randrange(0x4E00, 0x9FA5)) for _ in range(80_000)) for _ in range(count)]


def test_a_file_of_several_chunks_survives_a_restart(own):
    client = own.client()
    eval_id = make_silent_eval(client, make_catalog(client), SilentHost(answers=noise(12)))[1]
    test = client.post("/test/start", {"eval_id": eval_id, "repeats": 6})["test_id"]
    finished(client, test)
    file = client.post("/test/export", {"test_id": test}, Idempotency_Key="one export").body
    raw = download(client, file["file_id"]).raw
    assert len(raw) > 5 << 19, "this is about several chunks"
    before = Bundle(raw).tables["messages"]
    assert sorted(m["content"] for m in before if m["role"] == "assistant") == sorted(noise(12))
    own.restart()
    client = own.client()
    assert download(client, file["file_id"]).raw == raw
    for first, last in ((0, 0), (1048570, 1048590), (2097151, 2097152), (1000000, 2500000)):
        part = client.send("GET", f"/api/test/download/{file['file_id']}", headers={"Range": f"bytes={first}-{last}"})
        assert (part.status, part.raw) == (206, raw[first:last + 1])
    assert client.post("/test/export", {"test_id": test}, Idempotency_Key="one export").body == file
    again = client.post("/test/export", {"test_id": test}).body
    assert Bundle(download(client, again["file_id"]).raw).tables["messages"] == before


def test_v5_and_the_oldest_paths(admin, done):
    made = admin.post("/api/v5/artifacts/test/export", {"test_id": done["test_id"]}).body
    assert set(made) == {"upload_id", "file_name", "row_count"} and made["row_count"] == 8
    assert "invocations" in Bundle(download(admin, made["upload_id"]).raw).tables
    inline = admin.post("/test/benchmark/export").body
    assert inline["mime_type"] == "application/zip"
    assert len(Bundle(base64.b64decode(inline["content"])).tables["tests"]) == inline["row_count"]
    cell = done["invocation_id"]
    inline = admin.post("/test/invocation/export", {"test_id": done["test_id"], "invocation_entry_id": cell}).body
    rows = Bundle(base64.b64decode(inline["content"])).tables["invocations"]
    assert [r["invocation_id"] for r in rows] == [cell] and inline["row_count"] == 1


def test_bad_exports(admin, done, other_workspace, with_role):
    for path in ("/test/export", "/api/v5/artifacts/test/export", "/test/invocation/export"):
        admin.post(path, {"test_id": some_id()}, 404)
        admin.post(path, {}, 422)
        other_workspace.post(path, {"test_id": done["test_id"]}, 404)
        with_role("learner").post(path, {"test_id": done["test_id"]}, 403)
    for bad in ({"view": "everything"}, {"mode": "everything"}, {"view": "benchmark", "mode": "runs"},
                {"invocation_id": "no id"}):
        admin.post("/test/export", {"test_id": done["test_id"], **bad}, 422)
    admin.post("/test/export", {"test_id": done["test_id"], "view": "invocations", "invocation_id": some_id()}, 404)


def test_a_file_is_its_workspace_s_and_its_department_s(admin, catalog, done, other_workspace, with_role):
    file = admin.post("/test/export", {"view": "benchmark"})["file_id"]
    other_workspace.post("/test/file/download", {"file_id": file}, 404)
    assert other_workspace.send("GET", f"/api/test/download/{file}").status == 404
    mine, theirs = (admin.create("department", {"name": n}) for n in ("exports", "others"))
    member = with_role("instructor", department_ids=[mine])
    assert member.post("/test/file/download", {"file_id": file}, 403)["code"] == "other_department"
    own = member.post("/test/export", {"view": "benchmark"})["file_id"]
    member.post("/test/file/download", {"file_id": own})
    eval_id = admin.create("eval", {"name": "of others", "model_ids": catalog["models"],
                                    "scenario_ids": catalog["scenarios"][:1], "department_ids": [theirs]})
    test = admin.post("/test/start", {"eval_id": eval_id, "drive": "manual"})["test_id"]
    member.post("/test/export", {"test_id": test}, 403)
    file = admin.post("/test/export", {"test_id": test})["file_id"]
    member.post("/test/file/download", {"file_id": file}, 403)
