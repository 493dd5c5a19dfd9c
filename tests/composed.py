"""The services of the compose file, as far as the tests look at them."""

from pathlib import Path

import msgspec
import yaml

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "deploy/compose/driftflow.yaml"
SCRIPTS = {"/deploy": ROOT / "deploy/compose", "/config/driftflow.yaml": CONFIG}


class Condition(msgspec.Struct):
    condition: str


class Health(msgspec.Struct):
    test: list[str] = []
    disable: bool = False


class Service(msgspec.Struct):
    """What the tests look at of a service of the compose file."""

    image: str
    restart: str
    cap_drop: list[str]
    security_opt: list[str]
    build: dict[str, object] | None = None
    user: str = "root"
    read_only: bool = False
    entrypoint: list[str] | None = None
    command: list[str] = []
    environment: dict[str, str | int] = {}
    ports: list[str] = []
    volumes: list[str] = []
    tmpfs: list[str] = []
    depends_on: dict[str, Condition] = {}
    healthcheck: Health | None = None
    profiles: list[str] = []
    stop_grace_period: str = "10s"


def _services() -> dict[str, Service]:
    plain = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return msgspec.convert(plain["services"], dict[str, Service])


SERVICES = _services()
OURS = {name: service for name, service in SERVICES.items() if service.build is not None}


def paths_of_the_host(arguments: list[str], data: Path) -> list[str]:
    """Put files of this checkout in place of those that are mounted, and an empty one for generated data."""
    generated = data / "generated.jsonl"
    generated.touch()
    mounted = {path: str(there) for path, there in SCRIPTS.items() if there.is_file()}
    return [
        str(generated)
        if text.startswith("/home/driftflow/data/") and text.endswith(".jsonl")
        else mounted.get(text, text)
        for text in arguments
    ]
