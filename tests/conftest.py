"""Settings that all tests share, and the golden files.

A golden file holds bytes that an earlier release wrote. ``pytest --write-golden`` writes those that are
missing; one that is there is never overwritten, because what users have stored does not change either.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.command_line import finished_demo
from tests.integration.browser import chromium, open_page
from tests.integration.services import (
    _shared_stack,
    kafka_bootstrap,
    new_topic,
    own_stack,
    redis_prefix,
    redis_url,
)

__all__ = [
    "_shared_stack",
    "chromium",
    "kafka_bootstrap",
    "new_topic",
    "open_page",
    "own_stack",
    "redis_prefix",
    "redis_url",
]

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden"

# The machines of CI are shared: how long one example takes says nothing about the code.
# There a change is judged by the same examples as the one before; new examples are for people's machines.
settings.register_profile(
    "driftflow",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("driftflow")

_SERVICES = frozenset({"kafka_bootstrap", "new_topic", "own_stack", "redis_prefix", "redis_url"})

Golden = Callable[[str, Callable[[], bytes]], bytes]
"""Gives the content of a golden file; the function makes it where it is missing and may be written."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-golden", action="store_true", help="write golden files that are missing; never overwrites"
    )


# Before pytest-xdist reads the groups, in a hook of the same name.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares fixtures: a module, services, the demo; and put what waits first."""
    serviced, shown = _that_use(items, _SERVICES), _that_use(items, frozenset({"drifted_demo"}))
    for item in items:
        place = item.path.relative_to(ROOT)
        if _waits(item) and item.path in serviced:
            group = "services"
        elif item.path in shown:
            group = "demo"
        else:
            group = place.as_posix()
        item.add_marker(pytest.mark.xdist_group(group))
    # What waits begins first, so that the end is made of short things that any process can take.
    items.sort(key=lambda item: not _waits(item))


def _waits(item: pytest.Item) -> bool:
    return "integration" in item.path.relative_to(ROOT).parts


def _that_use(items: list[pytest.Item], fixtures: frozenset[str]) -> set[Path]:
    return {item.path for item in items if fixtures.intersection(getattr(item, "fixturenames", ()))}


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    def read(name: str, make: Callable[[], bytes]) -> bytes:
        path = GOLDEN / name
        if not path.exists():
            if not request.config.getoption("--write-golden"):
                pytest.fail(f"{path} is missing: restore it, or for a new version run pytest --write-golden")
            path.write_bytes(make())
        return path.read_bytes()

    return read


@pytest.fixture(scope="module")
def own_demo(drifted_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of `drifted_demo` for tests that change what is stored."""
    folder = tmp_path_factory.mktemp("own") / "demo"
    shutil.copytree(drifted_demo.parent, folder)
    return folder / drifted_demo.name


@pytest.fixture(scope="session")
def drifted_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the configuration of a demo whose columns have drifted with every severity; for looking only."""
    return finished_demo(tmp_path_factory.mktemp("drifted"), rows=52_000)
