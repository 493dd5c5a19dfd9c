"""What is written of the end of work that takes long."""

import json
import threading
import time
from pathlib import Path

from fastapi.testclient import TestClient

from flows.config import load_config
from flows.on_demand import file_ports
from service.audit import AuditLog, job_audit
from service.jobs import Job, Jobs, JobState
from service.ports import OnProgress
from service.security import Keyring
from state.stores.memory import MemoryStore
from tests.service.served import WRITE, all_keys, client_of

KEY = {"X-API-Key": WRITE}
GOOD, OTHER = b"x\n" + b"1\n2\n" * 300, b"y\n1\n"


def ended(client: TestClient, job_id: str) -> str:
    for _ in range(600):
        state = str(client.get(f"/v1/comparisons/{job_id}", headers=KEY).json()["state"])
        if state in {"done", "failed"}:
            return state
        time.sleep(0.05)
    raise AssertionError(job_id)


def test_how_a_comparison_has_ended_is_written_with_who_began_it(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    ports = file_ports({"demo": load_config(demo)})
    with client_of(demo, MemoryStore, all_keys(), audit=AuditLog(path), ports=ports) as client:
        ids = []
        for current, outcome in ((GOOD, "done"), (OTHER, "failed")):
            files = {"baseline": ("a.csv", GOOD), "current": ("b.csv", current)}
            ids.append(client.post("/v1/comparisons", headers=KEY, files=files).json()["id"])
            assert ended(client, ids[-1]) == outcome
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    # A short one may end before the answer to its beginning is on its way, and is written first then.
    assert sorted((each["who"], each["what"], each["path"], each["outcome"]) for each in lines) == sorted(
        [
            ("pipeline", "POST /v1/comparisons", "/v1/comparisons", "done"),
            ("pipeline", "POST /v1/comparisons", "/v1/comparisons", "done"),
            ("pipeline", "end of comparison of files", f"/v1/comparisons/{ids[0]}", "done"),
            ("pipeline", "end of comparison of files", f"/v1/comparisons/{ids[1]}", "failed"),
        ]
    )


def test_what_never_began_has_failed_and_leaves_nothing(tmp_path: Path) -> None:
    path, log = tmp_path / "audit.jsonl", AuditLog(tmp_path / "audit.jsonl")
    on_end = job_audit({"type": "http", "headers": []}, Keyring(), log, what="work", place="/jobs")
    jobs, began, go_on, cleaned = Jobs[int](), threading.Event(), threading.Event(), list[str]()

    def waits(_tell: OnProgress) -> int:
        began.set()
        assert go_on.wait(10)
        return 1

    first = jobs.start(waits, lambda: cleaned.append("first"), on_end)
    assert began.wait(10)
    second = jobs.start(waits, lambda: cleaned.append("second"), on_end)
    closing = threading.Thread(target=jobs.close)
    closing.start()
    found: Job[int] | None = None
    for _ in range(200):
        found = jobs.find(second.id)
        if found is not None and found.state is JobState.FAILED:
            break
        time.sleep(0.02)
    assert found is not None
    assert found.error == "The service ended before it began."
    go_on.set()
    closing.join(10)
    log.close()
    assert sorted(cleaned) == ["first", "second"]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(each["who"], each["path"], each["outcome"]) for each in lines] == [
        ("anyone", f"/jobs/{second.id}", "failed"),
        ("anyone", f"/jobs/{first.id}", "done"),
    ]
