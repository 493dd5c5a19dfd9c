"""Requests that Schemathesis makes of the OpenAPI document, sent to a service over a finished demo."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation, BaseSchema

from flows.config import load_config
from flows.on_demand import file_ports
from flows.serving import watched_model
from service.app import create_app
from service.context import Service
from service.stores import StorePool
from state.stores.sqlite import SqliteStore
from tests.service.served import ADMIN, all_keys

HEADERS = {"X-API-Key": ADMIN}

_UNENDING = r"/events/stream$"
"""A stream has no end that a test could wait for; it has tests of its own."""

_JUDGED_LATER = ["positive_data_acceptance", "negative_data_rejection"]
"""Checks that cannot hold: what a time is depends on the model's axis, files are judged by their content, and
ids that are known make good requests of bad ones."""


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """An application, its document, and ids that it knows."""

    schema: BaseSchema
    known: Mapping[str, str]


@contextmanager
def fuzzed(demo: Path, folder: Path) -> Iterator[Fuzzed]:
    """Serve a copy of a finished demo, with a comparison that is done and a reference that was built."""
    shutil.copytree(demo.parent, folder)
    config = load_config(folder / demo.name)
    path, model = config.store, watched_model(config)
    assert isinstance(path, Path)
    service = Service(
        models={model.name: model},
        stores=StorePool(lambda _model: SqliteStore(path)),
        ports=file_ports({model.name: config}),
        keys=all_keys(),
    )
    app = create_app(service)
    with TestClient(app) as client:
        client.headers.update(HEADERS)
        schema = schemathesis.openapi.from_asgi("/openapi.json", app).exclude(path_regex=_UNENDING)
        yield Fuzzed(schema, _known(client, model.name))


def _known(client: TestClient, model: str) -> dict[str, str]:
    rng = np.random.default_rng(1)
    table = "\n".join(["x", *map(str, rng.normal(size=200))])
    sent = {side: (f"{side}.csv", table) for side in ("baseline", "current")}
    job = client.post("/v1/comparisons", files=sent).json()
    while client.get(f"/v1/comparisons/{job['id']}").json()["state"] != "done":
        time.sleep(0.02)
    return {
        "model": model,
        "job_id": job["id"],
        "event_id": client.get(f"/v1/models/{model}/events").json()["events"][0]["id"],
        "episode_id": client.get(f"/v1/models/{model}/episodes").json()[0]["id"],
        "reference": client.get(f"/v1/models/{model}/references").json()["references"][0]["version"],
    }


def faults(
    found: Fuzzed, *, examples: int, on_route: Callable[[str, Sequence[str]], None] | None = None
) -> dict[str, list[str]]:
    """Send requests to every route, half of them well-formed; return what is wrong, route by route."""
    told = dict[str, list[str]]()
    for result in found.schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]  # a route that cannot be read raises, as a test shall
        wrong = list(_of_route(operation, found.known, examples))
        if wrong:
            told[operation.label] = wrong
        if on_route is not None:
            on_route(operation.label, wrong)
    return told


def _of_route(
    operation: APIOperation[Any, Any, Any, Any], known: Mapping[str, str], examples: int
) -> Iterator[str]:
    wrong = dict[str, str]()
    left_out = schemathesis.checks.CHECKS.get_by_names(_JUDGED_LATER)

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(list(GenerationMode)))
        case: Case[Any] = data.draw(operation.as_strategy(generation_mode=mode))
        if data.draw(st.booleans()):
            case.path_parameters.update({k: v for k, v in known.items() if k in case.path_parameters})
        else:
            case.path_parameters.update({k: known[k] for k in ("model",) if k in case.path_parameters})
        try:
            case.call_and_validate(headers=HEADERS, excluded_checks=left_out)  # type: ignore[arg-type]  # what it lists itself
        except FailureGroup as error:
            for each in error.exceptions:
                wrong.setdefault(type(each).__name__, f"{each}\n{case.as_curl_command()}")

    ask()
    yield from wrong.values()
