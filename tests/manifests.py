"""Manifests of Kubernetes, as far as the tests look at them."""

import msgspec


class _Manifest(msgspec.Struct, rename="camel"):
    """A part of a manifest, as far as the tests look at it."""


class KeyRef(_Manifest):
    name: str
    key: str


class ValueFrom(_Manifest):
    field_ref: dict[str, str] | None = None
    secret_key_ref: KeyRef | None = None


class Variable(_Manifest):
    name: str
    value: str | None = None
    value_from: ValueFrom | None = None


class Port(_Manifest):
    name: str
    container_port: int


class Get(_Manifest):
    path: str
    port: str


class Probe(_Manifest):
    http_get: Get
    period_seconds: int
    failure_threshold: int = 3


class Mount(_Manifest):
    name: str
    mount_path: str
    read_only: bool = False


class Rights(_Manifest):
    allow_privilege_escalation: bool
    read_only_root_filesystem: bool
    capabilities: dict[str, list[str]]


class Resources(_Manifest):
    requests: dict[str, str]
    limits: dict[str, str]


class Container(_Manifest):
    image: str
    args: list[str]
    env: list[Variable]
    ports: list[Port]
    startup_probe: Probe
    liveness_probe: Probe
    readiness_probe: Probe
    resources: Resources
    security_context: Rights
    volume_mounts: list[Mount]

    def variables(self, pod: str) -> dict[str, str]:
        """Give the environment of a pod; secrets are empty."""
        return {
            each.name: pod if each.value_from and each.value_from.field_ref else each.value or ""
            for each in self.env
        }


class PodSecurity(_Manifest):
    run_as_non_root: bool
    run_as_user: int
    fs_group: int
    seccomp_profile: dict[str, str]


class PodSpec(_Manifest):
    containers: list[Container]
    security_context: PodSecurity
    automount_service_account_token: bool
    enable_service_links: bool
    service_account_name: str
    termination_grace_period_seconds: int
    volumes: list[dict[str, object]]


class Meta(_Manifest):
    name: str = ""
    labels: dict[str, str] = {}


class Template(_Manifest):
    metadata: Meta
    spec: PodSpec


class Selector(_Manifest):
    match_labels: dict[str, str]


class SetSpec(_Manifest):
    service_name: str
    replicas: int
    pod_management_policy: str
    update_strategy: dict[str, str]
    selector: Selector
    template: Template


class StatefulSet(_Manifest):
    metadata: Meta
    spec: SetSpec


class DeploymentSpec(_Manifest):
    replicas: int
    strategy: dict[str, str]
    selector: Selector
    template: Template


class Deployment(_Manifest):
    metadata: Meta
    spec: DeploymentSpec


class Patch(_Manifest):
    op: str
    path: str
    value: object


class Target(_Manifest):
    kind: str


class PatchOf(_Manifest):
    target: Target
    patch: str


class Peer(_Manifest):
    pod_selector: Selector | None = None
    namespace_selector: Selector | None = None


class PolicyPort(_Manifest):
    protocol: str
    port: int | str


class Ingress(_Manifest):
    ports: list[PolicyPort]
    source: list[Peer] = msgspec.field(name="from", default_factory=list)


class Policy(_Manifest):
    pod_selector: Selector
    policy_types: list[str]
    ingress: list[Ingress]
