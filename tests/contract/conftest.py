import time

import pytest

from server import Server, SilentHost, make_catalog, make_silent_eval


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    one = Server(tmp_path_factory.mktemp("data") / "assay")
    yield one
    assert one.stop() == 0, "assayd did not end cleanly"


@pytest.fixture(scope="session")
def admin(server):
    return server.client()


@pytest.fixture(scope="session")
def catalog(admin):
    return make_catalog(admin)


def finished(client, test_id, seconds=30):
    """Waits until no cell is open; the summary."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        summary = client.post("/test/get", {"test_id": test_id, "summary": True})["status_summary"]
        if summary["queued"] + summary["running"] == 0:
            return summary
        time.sleep(0.02)
    raise AssertionError(f"still open: {summary}")


@pytest.fixture(scope="session")
def done(admin, catalog):
    """A test whose cells have all been run and graded by the recorded provider."""
    started = admin.post("/test/start", {"eval_id": catalog["eval"]})
    finished(admin, started["test_id"])
    return started.body


@pytest.fixture(scope="session")
def silent_eval(admin, catalog):
    """An eval of two cells whose model never answers; its model's and its own id."""
    return make_silent_eval(admin, catalog, SilentHost())


@pytest.fixture
def manual(admin, silent_eval):
    """A test whose two cells wait for a client, and then run until somebody ends them."""
    return admin.post("/test/start", {"eval_id": silent_eval[1], "drive": "manual", "name": "manual"}).body


@pytest.fixture(scope="session")
def other_workspace(server, admin):
    """A client of another workspace of the same server."""
    made = admin.post("/admin/workspace_create", {"name": "other"})
    return server.client(made["api_key"])


@pytest.fixture(scope="session")
def with_role(server, admin):
    """Makes a client of a role."""
    def make(role, **more):
        profile = admin.create("profile", {"name": f"a {role}", "role": role, **more})
        return server.client(admin.post("/admin/api_key_create", {"profile_id": profile})["api_key"])
    return make


def invocations(client, test_id):
    return client.post("/test/invocations", {"test_id": test_id, "page_size": 1000})["data"]
