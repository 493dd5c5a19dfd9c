"""The image and the compose file name options, keys, files and variables that exist.

No container engine is needed: this is about what the files say.
"""

import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from flows.config import Config, load_config
from flows.metrics import Metrics
from flows.metrics_server import serve_metrics
from flows.recovery import PARTS
from flows.scenarios.registry import scenario
from flows.supervisor import DEFAULT_TIMING
from flows.workers.environment import METRICS_PORT
from state.columns import Column
from tests.composed import CONFIG, OURS, ROOT, SCRIPTS, SERVICES, paths_of_the_host
from tests.deployed import parsed

IMAGE_PATH = "/opt/driftflow/healthcheck.py"
LONG_LIVED = {"kafka", "redis", "workers", "alert", "serve", "prometheus", "grafana"}


def _config(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str | int]) -> Config:
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    return load_config(CONFIG)


@pytest.mark.parametrize("name", [name for name, service in OURS.items() if service.entrypoint is None])
def test_commands_of_the_compose_file_are_accepted(name: str, tmp_path: Path) -> None:
    assert parsed(paths_of_the_host(SERVICES[name].command, tmp_path))


@pytest.mark.parametrize("name", [name for name, service in OURS.items() if service.entrypoint is not None])
def test_scripts_of_the_compose_file_are_mounted_and_take_their_options(name: str) -> None:
    service = SERVICES[name]
    assert service.entrypoint is not None
    program, path = service.entrypoint
    assert program == "python"
    assert "./deploy/compose:/deploy:ro" in service.volumes
    script = SCRIPTS["/deploy"] / Path(path).relative_to("/deploy")
    told = subprocess.run(
        [sys.executable, script, "--help"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    options = [text for text in service.command if text.startswith("--")]
    assert options
    assert all(option in told for option in options)


def test_ports_are_on_loopback() -> None:
    ports = [port for service in SERVICES.values() for port in service.ports]
    assert len(ports) == 5
    # Only what asks for a key may be told to listen elsewhere.
    (moved,) = (port for port in ports if not port.startswith("127.0.0.1:"))
    assert SERVICES["serve"].ports == [moved]
    assert moved.startswith("${SERVICE_HOST:-127.0.0.1}:")


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+(-\w+)?(@sha256:[0-9a-f]{64})?", SERVICES[name].image)


@pytest.mark.parametrize("name", SERVICES)
def test_services_may_do_no_more_than_they_need(name: str) -> None:
    service = SERVICES[name]
    assert service.cap_drop == ["ALL"]
    assert "no-new-privileges:true" in service.security_opt
    # Kafka's image sets its user itself, and writes its configuration into its own folder at the start.
    assert name == "kafka" or (service.read_only and re.fullmatch(r"[1-9]\d*:[1-9]\d*", service.user))


@pytest.mark.parametrize("name", SERVICES)
def test_what_lives_long_has_a_health_check_and_is_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service.healthcheck is not None
    if name in LONG_LIVED:
        assert service.healthcheck.test
        assert service.restart == "unless-stopped"
    else:
        assert service.healthcheck.disable
        assert service.restart in {"no", "on-failure"}


def test_what_is_waited_for_can_come_about() -> None:
    for service in SERVICES.values():
        for other, wanted in service.depends_on.items():
            long_lived = other in LONG_LIVED
            assert wanted.condition == ("service_healthy" if long_lived else "service_completed_successfully")


def test_nothing_is_read_before_it_is_there() -> None:
    assert set(SERVICES["workers"].depends_on) == {"kafka", "redis", "topics", "reference"}
    assert set(SERVICES["generator"].depends_on) == {"dataset", "topics"}


def test_volumes_are_declared_and_files_exist() -> None:
    declared = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["volumes"]
    sources = {volume.split(":")[0] for service in SERVICES.values() for volume in service.volumes}
    assert {source for source in sources if not source.startswith("./")} == set(declared)
    assert all((ROOT / source).exists() for source in sources if source.startswith("./"))


def test_the_embedded_demo_needs_no_service() -> None:
    demo = SERVICES["demo"]
    assert demo.profiles == ["demo"]
    assert not demo.depends_on
    assert [name for name, service in SERVICES.items() if service.profiles == ["demo"]] == ["demo"]


def test_redis_refuses_to_forget() -> None:
    options = SERVICES["redis"].command
    given = dict(zip(options[1::2], options[2::2], strict=True))
    assert given["--maxmemory-policy"] == "noeviction"
    assert given["--appendonly"] == "yes"


def test_workers_have_time_to_stop_and_their_health_is_asked_where_they_serve_it() -> None:
    workers = SERVICES["workers"]
    assert int(workers.stop_grace_period.removesuffix("s")) > DEFAULT_TIMING.stop_s
    assert workers.environment[METRICS_PORT]
    assert workers.healthcheck is not None
    assert workers.healthcheck.test == ["CMD", "python", IMAGE_PATH]


def test_the_configuration_of_the_compose_file_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    config = _config(monkeypatch, SERVICES["workers"].environment)
    kafka = SERVICES["kafka"]
    assert f"INSIDE://{config.file.kafka.bootstrap}," in str(kafka.environment["KAFKA_ADVERTISED_LISTENERS"])
    assert config.store == "redis://redis:6379/0"
    assert config.columns == tuple(
        Column(name=c.name, path=c.path, kind=c.kind, role=c.role) for c in scenario("demo").columns
    )
    # A replay: time-outs would take the wall clock for the time of rows that are still to come.
    assert config.bounds.idle_timeout is None


def test_state_lies_on_a_volume(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = SERVICES["workers"]
    config = _config(monkeypatch, workers.environment)
    assert config.file.recovery is not None
    mounted = [Path(volume.split(":")[1]) for volume in workers.volumes if not volume.startswith("./")]
    for folder in (config.output, config.folder / config.file.recovery.folder):
        assert any(folder.is_relative_to(mount) for mount in mounted)
    dockerfile = (ROOT / "Dockerfile").read_text()
    owned = re.search(r"install --directory --owner=driftflow --group=driftflow (.+)", dockerfile)
    assert owned is not None
    assert {str(mount) for mount in mounted} <= set(owned[1].split())


def test_workers_fit_partitions() -> None:
    topics, workers = SERVICES["topics"].command, SERVICES["workers"].command
    partitions = int(topics[topics.index("--partitions") + 1])
    assert int(workers[workers.index("--workers") + 1]) <= min(partitions, PARTS)


def test_the_image_is_small_and_not_run_as_root() -> None:
    text = (ROOT / "Dockerfile").read_text()
    stages = re.findall(r"^FROM .*$", text, re.MULTILINE)
    assert stages == ["FROM ${PYTHON_IMAGE} AS build", "FROM ${PYTHON_IMAGE}"]
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.1[12]\.\d+-slim-\w+$", text, re.MULTILINE)
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["10001:10001"]
    assert f"deploy/image/healthcheck.py {IMAGE_PATH}" in text
    assert re.search(rf'^HEALTHCHECK .*\\\n    CMD \["python", "{IMAGE_PATH}"\]$', text, re.MULTILINE)
    assert {"title", "licenses", "version", "revision"} <= set(
        re.findall(r"opencontainers\.image\.(\w+)=", text)
    )


def test_extras_of_the_image_exist() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    (extras,) = re.findall(r"^ARG EXTRAS=([\w,]+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert all(f"\n{extra} = [" in project for extra in extras.split(","))
    # What the containers run needs them.
    assert {"service", "alerts"} <= set(extras.split(","))
    assert {str(service.build and service.build["args"]) for service in OURS.values()} == {
        str({"EXTRAS": extras})
    }


def test_all_that_the_image_copies_is_in_its_context() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = {source for copy in copies for source in copy.split()}
    assert all((ROOT / source).exists() for source in sources)
    assert all(source in allowed or str(Path(source).parent) in allowed for source in sources)


def _health(port: str | None) -> int:
    environ = {} if port is None else {METRICS_PORT: port, "http_proxy": "http://127.0.0.1:1"}
    script = ROOT / "deploy/image/healthcheck.py"
    return subprocess.run([sys.executable, script], env=environ, check=False, capture_output=True).returncode


def test_health_check_says_what_the_run_says(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = _config(monkeypatch, {}).grid
    now_s = [0.0]
    metrics = Metrics(CollectorRegistry(), lambda: now_s[0], model="demo", grid=grid)
    server = serve_metrics(metrics, 0)
    try:
        assert _health(str(server.port)) == 0
        now_s[0] = 61.0
        assert _health(str(server.port)) == 1
    finally:
        server.close()


def test_health_check_without_an_answer() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert _health(str(nobody.getsockname()[1])) == 1
    assert _health("none") == 1
    assert _health(None) == 0
