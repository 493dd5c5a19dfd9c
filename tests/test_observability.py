"""Boards, rules and scrapes name metrics, labels, panels and places that exist."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase

from flows.alert_metrics import AlertMetrics
from flows.config import load_config
from flows.metrics import Metrics
from scripts.grafana_boards.__main__ import boards
from scripts.local_services.base import ServiceError
from scripts.local_services.prometheus import prometheus_program
from service.metrics import ServiceMetrics
from service.stores import StorePool
from tests.flows.test_metrics import OTHERS, documented
from tests.integration.services import unavailable

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
OF_A_SCRAPE = frozenset({"instance", "job", "component"})
"""Labels that Prometheus itself adds, or the files of targets."""
OF_A_PROCESS = frozenset({"process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"})


class Target(msgspec.Struct):
    expr: str = ""
    filter: str = ""


class Panel(msgspec.Struct):
    id: int
    title: str
    type: str
    gridPos: dict[str, int]  # noqa: N815 - Grafana's
    description: str = ""
    targets: list[Target] = []


class Variable(msgspec.Struct):
    name: str
    type: str
    query: str


class Choices(msgspec.Struct):
    list: list[Variable]


class Board(msgspec.Struct):
    uid: str
    title: str
    panels: list[Panel]
    templating: Choices


class Rule(msgspec.Struct):
    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]


class Group(msgspec.Struct):
    rules: list[Rule]


BOARDS = {
    path.stem: msgspec.json.decode(path.read_bytes(), type=Board)
    for path in sorted((DEPLOY / "grafana").glob("**/dashboards/*.json"))
}
RULES = [
    rule
    for group in msgspec.convert(
        yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())["groups"], list[Group]
    )
    for rule in group.rules
]


def _exported() -> Mapping[str, frozenset[str]]:
    """Labels by the name of each sample that a run, alerting and a service export."""
    registry = CollectorRegistry()
    config = load_config(DEPLOY / "compose/driftflow.yaml")
    Metrics(registry, lambda: 0.0, model="demo", grid=config.grid)
    service = ServiceMetrics(StorePool(lambda _model: None), ["demo"], {})
    found = {}
    for collector, names in (
        each
        for registered in (registry, AlertMetrics().registry, service.registry)
        for each in registered._collector_to_names.items()
    ):
        if isinstance(collector, ProcessCollector):
            continue
        assert isinstance(collector, MetricWrapperBase)
        for name in names:
            if name.endswith("_created"):
                # Switched off in every run.
                continue
            own = {"le"} if name.endswith("_bucket") else set()
            if name == "driftflow_build_info":
                own = {"version", "python"}
            found[name] = frozenset(collector._labelnames) | own
    return found


EXPORTED = _exported()


def test_metrics_of_alerting_and_of_the_service_are_documented() -> None:
    suffixes = {"counter": ("", "_total"), "gauge": ("",), "histogram": ("", "_bucket", "_sum", "_count")}
    told = {
        name.removesuffix("_total") + suffix: frozenset(labels.split(",")) - {""}
        for name, labels, kind in documented()
        if name.startswith(OTHERS)
        for suffix in suffixes[kind]
    }
    assert told == {name: labels - {"le"} for name, labels in EXPORTED.items() if name.startswith(OTHERS)}


def _queries() -> Iterator[tuple[str, str]]:
    for name, board in BOARDS.items():
        for panel in board.panels:
            for target in panel.targets:
                if target.expr:
                    yield f"{name}: {panel.title}", target.expr
        for variable in board.templating.list:
            if variable.query.startswith("label_values("):
                yield f"{name}: {variable.name}", variable.query
    for rule in RULES:
        yield rule.alert, rule.expr


@pytest.mark.parametrize(("where", "query"), list(_queries()))
def test_queries_name_metrics_and_labels_that_are_exported(where: str, query: str) -> None:
    used = re.findall(r"\b(driftflow_\w+|process_\w+|up)\b(?:\{([^}]*)\})?", query)
    assert used, where
    known = set(OF_A_SCRAPE)
    for name, matchers in used:
        own = EXPORTED.get(name, frozenset())
        assert name in EXPORTED or name in OF_A_PROCESS or name == "up", name
        known |= own
        for label in re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', matchers):
            assert label in own | OF_A_SCRAPE, f"{name} has no label {label}"
    for labels in re.findall(r"\bby \(([^)]*)\)", query):
        assert {label.strip() for label in labels.split(",") if label.strip()} <= known, where


def test_metrics_that_are_documented_are_those_of_the_code_and_on_a_board() -> None:
    documented = set(
        re.findall(r"^\| `(driftflow_\w+)", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    )
    shown = " ".join(query for _, query in _queries())
    exported = {re.sub(r"_(bucket|sum|count)$", "", name) for name in EXPORTED} - {"driftflow_build"}
    # The names of counters stand there without their ending, too.
    exported = {name for name in exported if f"{name}_total" not in exported}
    assert exported <= documented
    assert [name for name in sorted(exported) if name not in shown] == []


def test_legends_name_labels_that_are_left() -> None:
    for name in ("drift", "operations"):
        for panel in msgspec.json.decode((DEPLOY / f"grafana/dashboards/{name}.json").read_bytes())["panels"]:
            for target in panel.get("targets", []):
                groups = re.search(r"\bby \(([^)]*)\)", target["expr"])
                kept = {label.strip() for label in groups[1].split(",")} if groups else set(OF_A_SCRAPE)
                assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept, panel["title"]


def test_files_of_boards_are_what_their_description_says() -> None:
    for name, text in boards().items():
        assert (ROOT / name).read_text() == text, "run scripts/dashboards"
    assert len(BOARDS) == len(boards()) == len({board.uid for board in BOARDS.values()})


@pytest.mark.parametrize("name", BOARDS)
def test_panels_lie_side_by_side_and_say_what_they_show(name: str) -> None:
    board = BOARDS[name]
    taken: set[tuple[int, int]] = set()
    for panel in board.panels:
        at = panel.gridPos
        cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel.title
        taken |= cells
        assert panel.type == "row" or (panel.description.endswith(".") and panel.targets), panel.title
    assert len({panel.id for panel in board.panels}) == len(board.panels)
    named = {variable.name for variable in board.templating.list}
    text = " ".join(t.expr + t.filter for panel in board.panels for t in panel.targets)
    assert {each for each in re.findall(r"\$(\w+)", text) if not each.startswith("__")} <= named


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.alert)
def test_alerts_say_what_to_do_and_where_it_stands(rule: Rule) -> None:
    assert rule.labels["severity"] in {"critical", "warning", "info"}
    assert set(rule.annotations) == {"summary", "action", "runbook"}
    page, _, anchor = rule.annotations["runbook"].partition("#")
    assert anchor == rule.alert.lower()
    assert f"\n### {rule.alert}\n" in (ROOT / page).read_text()
    # Each is tried, both while all is well and as it fires.
    tried = (ROOT / "tests/prometheus/rules.yml").read_text()
    assert len(re.findall(rf"alertname: {rule.alert}\b", tried)) == 2


def _promtool(config: pytest.Config, *arguments: str) -> str:
    try:
        program = prometheus_program("promtool")
    except ServiceError as error:
        unavailable("Prometheus", str(error), config)
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_accepts_its_configuration_and_rules(pytestconfig: pytest.Config) -> None:
    said = _promtool(pytestconfig, "check", "config", "deploy/prometheus/prometheus.yml")
    assert f"{len(RULES)} rules found" in said


def test_prometheus_accepts_the_key_of_the_service_where_one_is_set(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    folder = shutil.copytree(DEPLOY / "prometheus", tmp_path / "prometheus")
    (folder / "service.key").write_text("read-key-0123456789")
    text = (folder / "prometheus.yml").read_text()
    (folder / "prometheus.yml").write_text(text.replace("# authorization:", "authorization:"))
    (job,) = (
        each
        for each in yaml.safe_load((folder / "prometheus.yml").read_text())["scrape_configs"]
        if "authorization" in each
    )
    assert job["job_name"] == "driftflow-service"
    _promtool(pytestconfig, "check", "config", str(folder / "prometheus.yml"))


def test_each_alert_fires_when_it_should_and_only_then(pytestconfig: pytest.Config) -> None:
    assert "SUCCESS" in _promtool(pytestconfig, "test", "rules", "tests/prometheus/rules.yml")


def test_every_worker_of_the_compose_file_is_scraped() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    workers = services["workers"]
    count = int(workers["command"][workers["command"].index("--workers") + 1])
    first = int(workers["environment"]["DRIFTFLOW_METRICS_PORT"])
    (group,) = yaml.safe_load((DEPLOY / "prometheus/targets/workers.yml").read_text())
    assert group["targets"] == [f"workers:{first + number}" for number in range(count)]
    # On loopback alone, no other container would reach them.
    assert workers["command"][workers["command"].index("--metrics-host") + 1] == "0.0.0.0"  # noqa: S104


def test_the_service_of_the_compose_file_is_scraped_while_it_runs() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    jobs = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    (job,) = (each for each in jobs if each["job_name"] == "driftflow-service")
    (found,) = job["dns_sd_configs"]
    (name,) = found["names"]
    command = services[name]["command"]
    assert found["port"] == int(command[command.index("--port") + 1])
    # One that nobody has started is not away.
    assert services[name]["profiles"] == ["service"]
    assert {each["target_label"]: each["replacement"] for each in job["relabel_configs"]} == {
        "job": "driftflow",
        "component": "service",
    }


def test_grafana_is_open_for_looking_only() -> None:
    grafana = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
    given = grafana["environment"]
    assert given["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert given["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "${GRAFANA_WITHOUT_ADMIN:-true}"
    # From the environment, with nothing to fall back on.
    assert re.fullmatch(r"\$\{\w+:-\}", given["GF_SECURITY_ADMIN_PASSWORD"])
    assert grafana["profiles"] == ["observability"]


def test_the_data_source_of_redis_comes_on_top_of_the_rest() -> None:
    more = DEPLOY / "grafana/redis/provisioning"
    for path in (DEPLOY / "grafana/provisioning").rglob("*.yaml"):
        assert (more / path.relative_to(DEPLOY / "grafana/provisioning")).read_text() == path.read_text()
    override = yaml.safe_load((DEPLOY / "grafana/redis/compose.yml").read_text())["services"]["grafana"]
    sources = [volume.split(":")[0] for volume in override["volumes"]]
    assert all((ROOT / source).is_dir() for source in sources)
    folders = {
        yaml.safe_load(path.read_text())["providers"][0]["options"]["path"]
        for path in (more / "dashboards").iterdir()
    }
    assert folders == {"/etc/driftflow/dashboards", "/etc/driftflow/series"}
