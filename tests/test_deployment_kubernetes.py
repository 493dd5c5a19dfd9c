"""The manifests for Kubernetes fit each other and the program.

No cluster is needed: this is about what the files say.
"""

from pathlib import Path

import msgspec
import pytest
import yaml

from flows.config import load_config
from flows.connections import PASSWORD
from flows.recovery import PARTS
from flows.workers.environment import DEFAULT_PORT, POD_NAME, member_from_environment
from tests.deployed import parsed
from tests.manifests import (
    Container,
    Get,
    Meta,
    Patch,
    PatchOf,
    Peer,
    Policy,
    Rights,
    Selector,
    StatefulSet,
)

FOLDER = Path(__file__).parents[1] / "deploy/kubernetes"
LABELS = {"app.kubernetes.io/name": "driftflow", "app.kubernetes.io/component": "worker"}


def _plain(name: str) -> dict[str, object]:
    return msgspec.convert(yaml.safe_load((FOLDER / name).read_text()), dict[str, object])


def _patched(document: dict[str, object], kind: str) -> dict[str, object]:
    """Apply what ``single-pod`` changes; its paths go through mappings and lists (RFC 6902)."""
    patches = msgspec.convert(_plain("single-pod/kustomization.yaml")["patches"], list[PatchOf])
    (text,) = [each.patch for each in patches if each.target.kind == kind]
    for patch in msgspec.convert(yaml.safe_load(text), list[Patch]):
        *way, last = patch.path.strip("/").split("/")
        place: object = document
        for step in way:
            place = place[int(step)] if isinstance(place, list) else msgspec.convert(place, dict)[step]
        assert isinstance(place, dict)
        # Replacing what is not there is an error of kustomize.
        assert (last in place) == (patch.op == "replace")
        place[last] = patch.value
    return document


SET = msgspec.convert(_plain("set/statefulset.yaml"), StatefulSet)
SINGLE = msgspec.convert(_patched(_plain("set/statefulset.yaml"), "StatefulSet"), StatefulSet)
BOTH = pytest.mark.parametrize("found", [SET, SINGLE], ids=["set", "single-pod"])


def _container(found: StatefulSet) -> Container:
    (container,) = found.spec.template.spec.containers
    return container


def test_everything_in_the_folder_is_applied() -> None:
    listed = _plain("set/kustomization.yaml")["resources"]
    files = {path.name for path in (FOLDER / "set").glob("*.yaml")}
    assert set(msgspec.convert(listed, list[str])) == files - {"kustomization.yaml", "driftflow.yaml"}
    # A base within the folder of its overlay, or above it, is a cycle to kustomize.
    assert _plain("single-pod/kustomization.yaml")["resources"] == ["../set"]


@BOTH
def test_command_is_accepted_and_serves_what_is_probed(found: StatefulSet, tmp_path: Path) -> None:
    container = _container(found)
    config = tmp_path / "driftflow.yaml"
    config.touch()
    options = parsed([str(config) if text.startswith("/config/") else text for text in container.args])
    ports = {port.name: port.container_port for port in container.ports}
    assert options["metrics_port"] == ports["metrics"]
    # Probes and scrapes come to the address of the pod.
    assert options["metrics_host"] == "0.0.0.0"  # noqa: S104
    for probe in (container.startup_probe, container.liveness_probe, container.readiness_probe):
        assert probe.http_get == Get(path="/healthz", port="metrics")
    assert ("--workers" in container.args) == (found is SINGLE)


def test_every_pod_finds_its_place_in_the_set() -> None:
    spec = SET.spec
    container = _container(SET)
    members = [
        member_from_environment(container.variables(f"{SET.metadata.name}-{i}")) for i in range(spec.replicas)
    ]
    assert [member.process_id for member in members if member] == [0, 1, 2]
    assert {member.addresses for member in members if member} == {
        tuple(f"driftflow-{i}.driftflow:{DEFAULT_PORT}" for i in range(spec.replicas))
    }
    assert spec.replicas <= PARTS
    assert {"members": DEFAULT_PORT}.items() <= {p.name: p.container_port for p in container.ports}.items()


def test_a_single_pod_is_a_member_of_no_set() -> None:
    assert SINGLE.spec.replicas == 1
    variables = _container(SINGLE).variables("driftflow-0")
    assert member_from_environment(variables) is None
    assert not [name for name in variables if name.startswith("DRIFTFLOW_")]
    # What the set gets beside its place in it, the single pod gets too.
    shared = [each for each in _container(SET).env if not each.name.startswith("DRIFTFLOW_")]
    assert _container(SINGLE).env == shared


def test_members_start_together_and_never_meet_another_version() -> None:
    assert SET.spec.pod_management_policy == "Parallel"
    assert SET.spec.update_strategy == {"type": "OnDelete"}


def test_service_gives_names_before_members_are_ready() -> None:
    service = msgspec.convert(_plain("set/service.yaml")["spec"], dict[str, object])
    assert service["clusterIP"] == "None"
    assert service["publishNotReadyAddresses"] is True
    assert (
        service["selector"] == LABELS == SET.spec.selector.match_labels == SET.spec.template.metadata.labels
    )
    assert SET.spec.service_name == msgspec.convert(_plain("set/service.yaml")["metadata"], Meta).name
    variables = {each.name: each.value for each in _container(SET).env}
    assert variables["DRIFTFLOW_SERVICE"] == SET.spec.service_name
    assert variables["DRIFTFLOW_STATEFULSET"] == SET.metadata.name
    assert any(each.name == POD_NAME and each.value is None for each in _container(SET).env)


@BOTH
def test_the_configuration_is_accepted(found: StatefulSet, monkeypatch: pytest.MonkeyPatch) -> None:
    container = _container(found)
    for name, value in container.variables("driftflow-0").items():
        monkeypatch.setenv(name, value or "redis://redis:6379/0")
    config = load_config(FOLDER / "set/driftflow.yaml")
    assert config.file.recovery is not None
    mounts = {Path(mount.mount_path) for mount in container.volume_mounts if mount.name == "state"}
    for folder in (config.output, config.folder / config.file.recovery.folder):
        assert any(folder.is_relative_to(mount) for mount in mounts)


@BOTH
def test_secrets_come_from_a_secret(found: StatefulSet) -> None:
    secret = {
        each.name for each in _container(found).env if each.value_from and each.value_from.secret_key_ref
    }
    assert secret == {PASSWORD, "REDIS_URL"}
    readme = (FOLDER / "README.md").read_text()
    for each in _container(found).env:
        if each.value_from and each.value_from.secret_key_ref:
            assert f"--from-literal={each.value_from.secret_key_ref.key}=" in readme


@BOTH
def test_pods_may_do_no_more_than_they_need(found: StatefulSet) -> None:
    pod, container = found.spec.template.spec, _container(found)
    assert pod.security_context.run_as_non_root
    assert pod.security_context.run_as_user == pod.security_context.fs_group == 10_001
    assert pod.security_context.seccomp_profile == {"type": "RuntimeDefault"}
    assert not pod.automount_service_account_token
    # Links to a service named driftflow are variables that look like the program's own.
    assert not pod.enable_service_links
    assert container.security_context == Rights(
        allow_privilege_escalation=False, read_only_root_filesystem=True, capabilities={"drop": ["ALL"]}
    )
    assert {"memory"} <= container.resources.limits.keys()
    assert {"cpu", "memory"} <= container.resources.requests.keys()


@BOTH
def test_members_have_time_to_start_and_to_stop(found: StatefulSet) -> None:
    container = _container(found)
    # An outage of a minute must start nobody again: `/healthz` fails from 60 s on.
    assert container.liveness_probe.period_seconds * container.liveness_probe.failure_threshold >= 120
    assert container.startup_probe.period_seconds * container.startup_probe.failure_threshold >= 120
    assert found.spec.template.spec.termination_grace_period_seconds >= 60


def test_volumes_are_one_for_all_or_of_one_node() -> None:
    claim = _plain("set/storage.yaml")
    assert msgspec.convert(claim["spec"], dict[str, object])["accessModes"] == ["ReadWriteMany"]
    patched = _patched(claim, "PersistentVolumeClaim")
    assert msgspec.convert(patched["spec"], dict[str, object])["accessModes"] == ["ReadWriteOnce"]


def test_only_members_speak_to_members() -> None:
    policy = msgspec.convert(_plain("set/network.yaml")["spec"], Policy)
    assert policy.pod_selector.match_labels == LABELS
    assert policy.policy_types == ["Ingress", "Egress"]
    reached = {port.port: rule.source for rule in policy.ingress for port in rule.ports}
    assert set(reached) == {"members", "metrics"}
    assert reached["members"] == [Peer(pod_selector=Selector(match_labels=LABELS))]
    # A rule without a source would let everybody in.
    assert all(rule.source for rule in policy.ingress)


def test_evictions_come_one_at_a_time() -> None:
    budget = msgspec.convert(_plain("set/disruption.yaml")["spec"], dict[str, object])
    assert budget["maxUnavailable"] == 1
    assert msgspec.convert(budget["selector"], Selector).match_labels == LABELS
