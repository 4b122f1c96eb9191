"""assayd as a test starts it, and a client that checks every answer against the contract."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import uuid

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORDINGS = ROOT / "examples" / "gsm8k" / "example_model_solutions.jsonl"


class Contract:
    """The schemas of the answers, by path, method and status."""

    def __init__(self):
        self.operations = {}
        self.registry = Registry()
        for name in ("glow-test", "glow-test-v5", "catalog"):
            document = json.loads((ROOT / "tests/data/contract" / f"{name}.openapi.json").read_text())
            uri = f"urn:{name}"
            self.registry = self.registry.with_resource(
                uri, Resource.from_contents(document, default_specification=DRAFT202012))
            for path, item in document["paths"].items():
                for method, operation in item.items():
                    self.operations.setdefault((method.upper(), path), (uri, document, operation))

    def schema(self, method, path, status, content_type):
        """None when the contract says nothing of this path."""
        found = self.operations.get((method, path))
        if not found:
            return None
        uri, document, operation = found
        responses = operation["responses"]
        response = responses.get(str(status)) or responses["default"]
        if "$ref" in response:
            response = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        assert content_type in response["content"], f"{method} {path} {status}: {content_type}"
        return uri, response["content"][content_type]["schema"]

    def check(self, method, path, status, content_type, body):
        found = self.schema(method, path, status, content_type)
        if found is None:
            return
        uri, schema = found
        self.validate(uri, schema, body, f"{method} {path} {status}")

    def validate(self, uri, schema, body, what):
        def absolute(node):
            if isinstance(node, dict):
                return {k: (uri + v if k == "$ref" and v.startswith("#") else absolute(v))
                        for k, v in node.items()}
            return [absolute(v) for v in node] if isinstance(node, list) else node

        validator = Draft202012Validator(absolute(schema), registry=self.registry,
                                         format_checker=FormatChecker())
        problems = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}"
                    for e in validator.iter_errors(body)]
        assert not problems, f"{what}: {problems}"

    def event(self, data):
        self.validate("urn:glow-test", {"$ref": "#/components/schemas/EventEnvelope"}, data, "event")


CONTRACT = Contract()


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw
        self.type = headers.get("content-type", "").split(";")[0]
        self.body = json.loads(raw) if self.type.endswith("json") else raw

    def __getitem__(self, name):
        return self.body[name]


class Server:
    """One data directory, served; may be stopped and started again."""

    def __init__(self, data: pathlib.Path, arguments=()):
        self.data, self.arguments = data, list(arguments)
        self.start()
        self.key = (data / "admin.key").read_text().strip()

    def start(self):
        self.process = subprocess.Popen(
            [os.environ["ASSAYD"], "--data", str(self.data), "--listen", "127.0.0.1:0",
             "--recordings", str(RECORDINGS.parent), *self.arguments],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if "listening on" in line:
                self.port = int(line.rsplit(":", 1)[1])
                return
        raise AssertionError("assayd did not start")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        return code

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        self.start()

    def client(self, key=None):
        return Client(self, self.key if key is None else key)


class Client:
    def __init__(self, server, key):
        self.server, self.key = server, key

    def send(self, method, path, raw=None, headers=None, check=True):
        """One request as it stands; the answer is held against the contract."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if raw is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        sent = {k: v for k, v in sent.items() if v is not None}
        connection.request(method, path, body=raw, headers=sent)
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        if check and answer.type.endswith("json"):
            CONTRACT.check(method, path.split("?")[0], answer.status, answer.type, answer.body)
        return answer

    def post(self, path, body=None, status=200, **headers):
        names = {k.replace("_", "-"): v for k, v in headers.items()}
        answer = self.send("POST", path, json.dumps({} if body is None else body).encode(), names)
        assert answer.status == status, f"{path}: {answer.status} {answer.raw[:2000]}"
        return answer

    def create(self, kind, item, plural=None):
        """Creates one item; its id."""
        answer = self.post(f"/{kind}/create", {plural or kind + "s": [item]})
        assert answer["results"][0]["success"], answer.raw
        return answer["results"][0][f"{kind}_id"]

    def watch(self, query, last=None):
        return Stream(self, query, last)


class Stream:
    """An event stream; reads one event at a time."""

    def __init__(self, client, query, last=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", client.server.port, timeout=30)
        headers = {"Authorization": f"Bearer {client.key}"}
        if last:
            headers["Last-Event-ID"] = last
        self.connection.request("GET", f"/test/watch?{query}", headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["Content-Type"].startswith("text/event-stream")

    def next(self):
        """(id, event), or None at the end of the stream."""
        event_id = data = None
        while line := self.response.readline():
            text = line.decode().rstrip("\r\n")
            if text.startswith("id:"):
                event_id = text[3:].strip()
            elif text.startswith("data:"):
                data = json.loads(text[5:])
            elif text.startswith("event:"):
                raise AssertionError("the contract has no event: field")
            elif not text and data is not None:
                CONTRACT.event(data)
                assert data["id"] == event_id
                return event_id, data
        return None

    def until(self, event_type):
        seen = []
        while event := self.next():
            seen.append(event)
            if event[1]["event_type"] == event_type:
                return seen
        raise AssertionError(f"{event_type} did not come: {[e[1]['event_type'] for e in seen]}")

    def close(self):
        self.connection.close()


def questions(count):
    with RECORDINGS.open() as lines:
        return [json.loads(next(lines)) for _ in range(count)]


def some_id():
    return str(uuid.uuid4())


class SilentHost:
    """Gives the answers it was made with, then takes calls and never answers: they stay running until somebody
    ends them."""

    def __init__(self, answers=()):
        self.answers = list(answers)
        self.calls = threading.Semaphore(0)
        self.held = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            self.held.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection.makefile("rb") as sent:
            while sent.readline():
                size = 0
                while (line := sent.readline().strip()):
                    name, _, value = line.partition(b":")
                    size = int(value) if name.lower() == b"content-length" else size
                sent.read(size)
                self.calls.release()
                if not self.answers:
                    return
                body = json.dumps({"choices": [{"finish_reason": "stop", "message": {
                    "role": "assistant", "content": self.answers.pop(0)}}]}).encode()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                   b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def wait_for_calls(self, count):
        for _ in range(count):
            assert self.calls.acquire(timeout=30), "the model was not called"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}/v1"


def make_silent_eval(client, catalog, host):
    """An eval whose one model never answers; two scenarios."""
    provider = client.create("provider", {"name": "silent", "value": "openai", "endpoint": host.url})
    model = client.create("model", {"name": "silent", "value": "m", "provider_id": provider})
    return model, client.create("eval", {
        "name": "silent", "model_ids": [model], "scenario_ids": catalog["scenarios"][:2],
        "rubric_ids": [catalog["rubric"]]})


def make_catalog(client, scenarios=4, models=("6b_finetuning", "175b_verification"), prefix=""):
    """A small evaluation over the recordings; ids by kind."""
    endpoint = f"file://{RECORDINGS}?question=question&answer=%7Bmodel%7D.solution"
    out = {"provider": client.create("provider", {"name": f"{prefix}recorded", "value": "recorded",
                                                  "endpoint": endpoint})}
    out["models"] = [client.create("model", {"name": m, "value": m, "provider_id": out["provider"]})
                     for m in models]
    out["agent"] = client.create("agent", {
        "name": f"{prefix}solver", "prompt": {"system_prompt": "Solve it."},
        "instructions": ["Think.", "End with A:"], "temperature": 0})
    answer = client.post("/scenario/create", {"scenarios": [
        {"name": f"q{i}", "problem_statement": q["question"],
         "expected_outcome": q["ground_truth"].rsplit("A:", 1)[1].strip()}
        for i, q in enumerate(questions(scenarios))]})
    out["scenarios"] = [r["scenario_id"] for r in answer["results"]]
    out["rubric"] = client.create("rubric", {
        "name": f"{prefix}final answer", "standard_groups": [
            {"name": "answer", "points": 10, "pass_points": 10,
             "grader": {"kind": "numeric", "markers": ["A:", "####"]},
             "standards": [{"name": "right number", "points": 10}]}]})
    out["eval"] = client.create("eval", {
        "name": f"{prefix}gsm8k", "description": "Grade school", "model_ids": out["models"],
        "scenario_ids": out["scenarios"], "agent_ids": [], "rubric_ids": [out["rubric"]]})
    return out
