"""The containers that serve and alert can be started, reached and scraped as the compose file says."""

from pathlib import Path

import pytest
import yaml

from flows.workers.environment import METRICS_PORT
from service.security import VARIABLE, BadKeysError, check_address, read_keys
from tests.composed import OURS, ROOT, SERVICES, paths_of_the_host
from tests.deployed import parsed


def test_the_service_takes_keys_from_the_environment_and_does_not_start_without(tmp_path: Path) -> None:
    serve = SERVICES["serve"]
    assert serve.profiles == ["service"]
    # Nothing to fall back on. Were it required here, no other service could be started without it.
    assert serve.environment[VARIABLE] == "${DRIFTFLOW_API_KEYS:-}"
    options = parsed(paths_of_the_host(serve.command, tmp_path))
    with pytest.raises(BadKeysError, match=VARIABLE):
        check_address(str(options["host"]), read_keys(""))
    assert serve.ports[0].endswith(f":{options['port']}")
    assert serve.environment[METRICS_PORT] == str(options["port"])


def test_files_that_are_sent_do_not_fill_the_memory() -> None:
    serve = SERVICES["serve"]
    # A new volume takes over the rights of the folder in the image: everyone may write to /tmp.
    assert "uploads:/tmp" in serve.volumes
    assert not serve.tmpfs
    assert all(service.tmpfs for name, service in OURS.items() if name != "serve")


def test_alerts_are_told_without_being_asked_for(tmp_path: Path) -> None:
    alert = SERVICES["alert"]
    assert not alert.profiles
    options = parsed(paths_of_the_host(alert.command, tmp_path))
    assert alert.environment[METRICS_PORT] == str(options["metrics_port"])
    # Prometheus is another container.
    assert options["metrics_host"] == "0.0.0.0"  # noqa: S104
    (group,) = yaml.safe_load((ROOT / "deploy/prometheus/targets/alerts.yml").read_text())
    assert group["targets"] == [f"alert:{options['metrics_port']}"]
