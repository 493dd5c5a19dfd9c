"""What can be configured, called or installed is documented."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_origin

import msgspec
import pytest
import yaml
from msgspec.structs import FieldInfo
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from detectors.registry import detector_names
from detectors.threshold_registry import option_names, threshold_names
from flows.cli import app
from flows.config import load_config, parse_config
from flows.config_keys import structs_in
from flows.schema import FileConfig
from service.app import create_app
from service.context import Service
from service.stores import StorePool
from state.events import EventType

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def _keys(struct: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    if struct.__struct_config__.tag is not None:
        yield f"{prefix}{struct.__struct_config__.tag_field}"
    for field in msgspec.structs.fields(struct):
        path = f"{prefix}{field.encode_name}"
        inner = structs_in(field.type)
        if not inner:
            yield path
        named = get_origin(_plain(field)) is dict
        for each in inner:
            yield from _keys(each, f"{path}.NAME." if named else f"{path}.")


def _plain(field: FieldInfo) -> object:
    return field.type


@pytest.mark.parametrize("key", list(dict.fromkeys(_keys(FileConfig))))
def test_every_configuration_key_is_documented(key: str) -> None:
    assert f"`{key}`" in (DOCS / "configuration.md").read_text()


def test_documented_keys_exist() -> None:
    known = set(_keys(FileConfig))
    table_keys = re.findall(r"^\| (`[^|]+`) \|", (DOCS / "configuration.md").read_text(), re.MULTILINE)
    documented = {key for cell in table_keys for key in re.findall(r"`([a-z_.A-Z]+)`", cell)}
    assert documented - known == set()


def test_the_example_in_the_configuration_page_is_accepted() -> None:
    text = (DOCS / "configuration.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert parse_config(example, folder=ROOT).file.model.name == "fraud"


def _commands(command: object, path: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _commands(inner, f"{path} {name}")
    elif isinstance(command, TyperCommand):
        yield path, command


@pytest.mark.parametrize(("path", "command"), list(_commands(get_command(app), "driftflow")))
def test_every_command_and_option_is_documented(path: str, command: TyperCommand) -> None:
    text = (DOCS / "commands.md").read_text()
    assert f"`{path}" in text
    for parameter in command.params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            if option.startswith("--") and option != "--help":
                assert f"`{option}`" in text or f"`{option} " in text, f"{path} {option}"


def test_every_route_is_documented() -> None:
    routes = set(re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", (DOCS / "api.md").read_text(), re.MULTILINE))
    paths = create_app(Service(models={}, stores=StorePool(lambda _model: None))).openapi()["paths"]
    assert routes == {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


@pytest.mark.parametrize("name", detector_names())
def test_every_detector_is_documented(name: str) -> None:
    assert f"## `{name}`" in (DOCS / "detectors.md").read_text()


@pytest.mark.parametrize("name", threshold_names())
def test_every_threshold_is_documented_with_its_options(name: str) -> None:
    _, _, section = (DOCS / "thresholds.md").read_text().partition(f"## `{name}`")
    section, _, _ = section.partition("\n## ")
    assert section
    for option in option_names(name):
        assert f"`{option}`" in section


@pytest.mark.parametrize("event_type", list(EventType))
def test_every_event_type_is_documented(event_type: str) -> None:
    assert f"`{event_type}`" in (DOCS / "events.md").read_text()


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("examples/*/*.md")])
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", sorted(ROOT.glob("examples/*/driftflow.yaml")))
def test_examples_are_valid_configurations(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRIFTFLOW_DATA", raising=False)
    assert load_config(page).columns
    readme = (page.parent / "README.md").read_text()
    folder = page.parent.relative_to(ROOT)
    assert f"driftflow reference build {folder}/driftflow.yaml" in readme
    assert f"driftflow run {folder}/driftflow.yaml" in readme


_PACKAGES = "(?:detectors|state|alerts|service|flows)"


def test_every_source_file_is_on_the_map() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = {
        f"{where}/{name.strip()}"
        for where, names in re.findall(
            r"`((?:detectors|state|alerts|service|flows)(?:/\w+)*)/\{([^}]+)\}\.py`", text
        )
        for name in names.split(",")
    }
    named |= set(re.findall(r"`((?:detectors|state|alerts|service|flows)/[\w/]+)\.py`", text))
    folders = re.findall(r"`((?:detectors|state|alerts|service|flows)/[\w/]+)/`", text)
    for path in sorted(
        p
        for package in ("detectors", "state", "alerts", "service", "flows")
        for p in (ROOT / package).rglob("*.py")
    ):
        name = path.relative_to(ROOT).with_suffix("").as_posix()
        if path.name != "__init__.py" and not any(name.startswith(f"{folder}/") for folder in folders):
            assert name in named, f"ARCHITECTURE.md does not say what {name}.py is for"


def test_the_map_names_no_file_that_is_gone() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for where, names in re.findall(r"`((?:\w+/)*\w+)/\{([^}]+)\}\.py`", text):
        for name in names.split(","):
            assert (ROOT / where / f"{name.strip()}.py").exists()
    for name in re.findall(r"`([\w/]+\.py)`", text):
        assert (ROOT / name).exists()


def test_compose_file_is_valid_yaml_and_binds_to_loopback() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    for service in compose["services"].values():
        for port in service.get("ports", ()):
            assert str(port).startswith(("127.0.0.1:", "${SERVICE_HOST:-127.0.0.1}:"))
