"""The manifests for alerts and the service fit the workers beside them and the program."""

from pathlib import Path

import msgspec
import pytest
import yaml

from flows.config import load_config
from service.security import VARIABLE
from tests.deployed import parsed
from tests.manifests import Container, Deployment, Get, Policy, Rights, StatefulSet

FOLDER = Path(__file__).parents[1] / "deploy/kubernetes"
NAMES = ("alert", "serve")


def _plain(name: str) -> dict[str, object]:
    return msgspec.convert(yaml.safe_load((FOLDER / name).read_text()), dict[str, object])


def _deployed(name: str) -> tuple[Deployment, Container]:
    found = msgspec.convert(_plain(f"beside/{name}.yaml"), Deployment)
    (container,) = found.spec.template.spec.containers
    return found, container


WORKERS = msgspec.convert(_plain("set/statefulset.yaml"), StatefulSet)


def test_everything_in_the_folder_is_applied_with_the_workers() -> None:
    workers, *listed = msgspec.convert(_plain("beside/kustomization.yaml")["resources"], list[str])
    # Of one build, or the configuration would have another name: kustomize puts a hash behind it.
    assert workers == "../single-pod"
    assert {*listed, "kustomization.yaml"} == {path.name for path in (FOLDER / "beside").glob("*.yaml")}


@pytest.mark.parametrize("name", NAMES)
def test_command_is_accepted_and_serves_what_is_probed(name: str, tmp_path: Path) -> None:
    _, container = _deployed(name)
    config = tmp_path / "driftflow.yaml"
    config.touch()
    options = parsed([str(config) if text.startswith("/config/") else text for text in container.args])
    (port,) = container.ports
    # Probes come to the address of the pod.
    said = {"alert": ("metrics_host", "metrics_port"), "serve": ("host", "port")}[name]
    assert [options[each] for each in said] == ["0.0.0.0", port.container_port]  # noqa: S104
    for probe in (container.startup_probe, container.liveness_probe, container.readiness_probe):
        assert probe.http_get == Get(path="/healthz", port=port.name)


@pytest.mark.parametrize("name", NAMES)
def test_they_are_apart_from_the_workers_and_may_do_no_more(name: str) -> None:
    found, container = _deployed(name)
    workers, pod = WORKERS.spec.template.spec, found.spec.template.spec
    labels = found.spec.template.metadata.labels
    assert found.spec.selector.match_labels == labels
    # The service of the workers and their policy must not take them for members.
    assert labels["app.kubernetes.io/component"] == name
    assert pod.security_context.run_as_non_root
    assert pod.security_context.run_as_user == workers.security_context.run_as_user
    assert pod.service_account_name == workers.service_account_name
    assert not pod.automount_service_account_token
    assert not pod.enable_service_links
    assert container.security_context == Rights(
        allow_privilege_escalation=False, read_only_root_filesystem=True, capabilities={"drop": ["ALL"]}
    )
    assert (found.spec.replicas, found.spec.strategy) == (1, {"type": "Recreate"})


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_of_the_workers_is_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, container = _deployed(name)
    for variable, value in container.variables("x").items():
        monkeypatch.setenv(variable, value or "redis://redis:6379/0")
    config = load_config(FOLDER / "set/driftflow.yaml")
    # What neither has is the volume of the workers: all that they read is elsewhere.
    assert config.store == "redis://redis:6379/0"
    assert config.file.output.topics.events is not None
    assert config.output.is_relative_to("/var/lib/driftflow")
    assert "/var/lib/driftflow" in {mount.mount_path for mount in container.volume_mounts}


def test_keys_come_from_the_secret_that_the_page_makes() -> None:
    _, container = _deployed("serve")
    secrets = {e.name: e.value_from.secret_key_ref for e in container.env if e.value_from}
    keys = secrets[VARIABLE]
    assert keys is not None
    assert f"--from-literal={keys.key}=" in (FOLDER / "README.md").read_text()


def test_metrics_of_alerting_are_for_prometheus() -> None:
    found, container = _deployed("alert")
    policy = msgspec.convert(_plain("beside/network.yaml")["spec"], Policy)
    assert policy.pod_selector.match_labels == found.spec.selector.match_labels
    (rule,) = policy.ingress
    assert [port.port for port in rule.ports] == [container.ports[0].name]
    assert rule.source
