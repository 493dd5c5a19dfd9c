"""Fixtures that give tests a real Kafka and a real Redis, fresh topics and fresh key prefixes."""

import fcntl
import os
import subprocess
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest
from redis import Redis

from scripts.local_services.base import Service
from scripts.local_services.places import DEFAULT_STACK, stacks_folder

with warnings.catch_warnings():
    # kafka-python reads its schemas by functions that Python 3.11 and 3.12 call deprecated.
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    # It carries no type information either.
    from kafka import KafkaAdminClient  # type: ignore[import-untyped]

    from scripts.local_services.stack import SERVICES, Stack

ROOT = Path(__file__).parents[2]
# For the first download; less than the limit on one test, so that a message comes before a traceback.
LIMIT_S = 270.0
ADVICE = (
    "install Java 17 and Maven (Debian: apt-get install default-jre-headless maven), "
    "or set KAFKA_BOOTSTRAP_SERVERS and REDIS_URL"
)
KAFKA, REDIS = SERVICES

_TOLD = pytest.StashKey[set[str]]()

NewTopic = Callable[[int], str]
"""Makes a topic with that many partitions and gives its name."""


class ServicesFailedError(Exception):
    """scripts/services could not do what was asked; holds its last words."""


def services(*arguments: str, stack: str = DEFAULT_STACK) -> str:
    """Pass a command to scripts/services, in a process of its own; what it printed for programs."""
    command = [sys.executable, "-m", "scripts.local_services", "--name", stack, *arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ServicesFailedError(f"{' '.join(arguments)}: not done after {LIMIT_S:.0f} s") from error
    if done.returncode != 0:
        raise ServicesFailedError(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def unavailable(service: str, reason: str, config: pytest.Config) -> NoReturn:
    """Fail in CI; elsewhere skip, and say once, where nobody overlooks it, what to install."""
    line = f"NO {service.upper()}, its tests prove nothing here: {ADVICE}. {' '.join(reason.split())}"
    if os.environ.get("CI", "").lower() not in {"", "0", "false"}:
        pytest.fail(line, pytrace=False)
    told = config.stash.setdefault(_TOLD, set())
    if service not in told:
        told.add(service)
        _say_aloud(line, config)
    pytest.skip(f"no {service}, see the line above")


def _say_aloud(line: str, config: pytest.Config) -> None:
    """Past the capture of output, as a line of its own."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    if reporter is not None and capture is not None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(line, red=True, bold=True)


@pytest.fixture(scope="session")
def _shared_stack() -> Iterator[Stack]:
    """Use the checkout's stack; the last session that uses it ends it, unless a person had started it."""
    stack = Stack(name=DEFAULT_STACK)
    stacks_folder().mkdir(parents=True, exist_ok=True)
    with (stacks_folder() / "lease").open("a") as lease:
        fcntl.flock(lease, fcntl.LOCK_SH)
        yield stack
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if stack.folder.exists() and not stack.kept:
            services("down")


def _bring_up(service: Service, stack: Stack, config: pytest.Config) -> str:
    given = os.environ.get(service.variable)
    if given:
        return given
    try:
        services("up", "--for-tests", service.name)
    except ServicesFailedError as error:
        unavailable(service.name, str(error), config)
    address = stack.address(service)
    assert address is not None
    return address


@pytest.fixture(scope="session")
def kafka_bootstrap(_shared_stack: Stack, pytestconfig: pytest.Config) -> str:
    """Give the address of a broker: from the environment, else started here."""
    return _bring_up(KAFKA, _shared_stack, pytestconfig)


@pytest.fixture(scope="session")
def redis_url(_shared_stack: Stack, pytestconfig: pytest.Config) -> str:
    """Give the URL of a server with TS.*: from the environment, else started here."""
    return _bring_up(REDIS, _shared_stack, pytestconfig)


@pytest.fixture
def new_topic(kafka_bootstrap: str) -> Iterator[NewTopic]:
    """Make topics that nobody used before; they are deleted afterwards."""
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    made: list[str] = []

    def make(n_partitions: int = 1) -> str:
        name = f"driftflow-test-{uuid.uuid4().hex[:12]}"
        # Records of tests carry times of long ago: with a retention the broker would soon delete them.
        topic = {"num_partitions": n_partitions, "replication_factor": 1, "configs": {"retention.ms": "-1"}}
        admin.create_topics({name: topic}, wait_for_metadata=True)
        made.append(name)
        return name

    try:
        yield make
        if made:
            admin.delete_topics(made)
    finally:
        admin.close()


@pytest.fixture
def redis_prefix(redis_url: str) -> Iterator[str]:
    """Give a prefix that no key has yet; keys that begin with it are deleted afterwards."""
    prefix = f"driftflow-test-{uuid.uuid4().hex[:12]}:"
    yield prefix
    with Redis.from_url(redis_url) as client:
        for key in client.scan_iter(match=f"{prefix}*"):
            client.delete(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnStack:
    """Services that one test module may stop and start; nobody else uses them."""

    name: str
    config: pytest.Config

    def start(self, service: Service) -> str:
        """Start, or start again on the same port with the same data; the address."""
        try:
            services("start", service.name, stack=self.name)
        except ServicesFailedError as error:
            unavailable(service.name, str(error), self.config)
        address = Stack(name=self.name).address(service)
        assert address is not None
        return address

    def stop(self, service: Service) -> None:
        """End it as an operator would; its data stays."""
        services("stop", service.name, stack=self.name)


@pytest.fixture(scope="module")
def own_stack(pytestconfig: pytest.Config) -> Iterator[OwnStack]:
    """Give services for tests of outages, none of them started yet."""
    stack = OwnStack(name=f"tests-{uuid.uuid4().hex[:12]}", config=pytestconfig)
    yield stack
    services("down", stack=stack.name)
