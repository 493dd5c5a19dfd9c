"""Where a process belongs in a set that runs on several hosts, as the environment tells it."""

import re
from collections.abc import Mapping

from flows.config_values import ConfigError
from flows.engine import Member

POD_NAME = "DRIFTFLOW_POD_NAME"
"""Name of this pod, as a StatefulSet gives it: the number behind the last dash is that of the process."""
ADDRESSES = "DRIFTFLOW_ADDRESSES"
"""host:port of all members, joined by commas."""
STATEFULSET, SERVICE, REPLICAS, PORT = (
    "DRIFTFLOW_STATEFULSET",
    "DRIFTFLOW_SERVICE",
    "DRIFTFLOW_REPLICAS",
    "DRIFTFLOW_PORT",
)
"""In place of addresses: the names that Kubernetes gives to the pods of a StatefulSet.

Kubernetes itself sets ``DRIFTFLOW_PORT`` to ``tcp://...`` where any service is called driftflow; that says
nothing about members, and is left alone.
"""
DEFAULT_PORT = 2101

SUPERVISED = "DRIFTFLOW_SUPERVISED"
"""Set by a supervisor for its members."""
TOGETHER = "DRIFTFLOW_TOGETHER"
"""Set by `driftflow up` for the programs that it keeps going."""
METRICS_PORT = "DRIFTFLOW_METRICS_PORT"
"""Port of this process's metrics; set by a supervisor for its members."""

_LARGEST_PORT = 65535


def member_from_environment(environ: Mapping[str, str]) -> Member | None:
    """Read which member of which set this process is; None where the environment does not say.

    The addresses of a StatefulSet's pods are ``NAME-0.SERVICE:PORT`` and so on; its service must be headless,
    and publish addresses of pods that are not ready yet.

    Raises
    ------
    ConfigError
        Half of what is needed is missing, or a value makes no sense.

    Examples
    --------
    >>> member_from_environment(
    ...     {
    ...         "DRIFTFLOW_POD_NAME": "drift-1",
    ...         "DRIFTFLOW_STATEFULSET": "drift",
    ...         "DRIFTFLOW_SERVICE": "members",
    ...         "DRIFTFLOW_REPLICAS": "2",
    ...     }
    ... ).addresses
    ('drift-0.members:2101', 'drift-1.members:2101')
    """
    pod = environ.get(POD_NAME)
    given = [name for name in (ADDRESSES, STATEFULSET, SERVICE, REPLICAS) if name in environ]
    if pod is None:
        if given:
            raise ConfigError(f"{given[0]} is set and {POD_NAME} is not: set it to the name of this pod")
        return None
    if not given:
        raise ConfigError(
            f"{POD_NAME} is {pod!r}, and nothing says who the other members are: set {ADDRESSES}, or "
            f"{STATEFULSET}, {SERVICE} and {REPLICAS}"
        )
    name, number = _ordinal(pod)
    if ADDRESSES not in environ:
        addresses = _addresses_of_pods(name, environ)
    elif len(given) > 1:
        raise ConfigError(f"{ADDRESSES} and {given[1]} are both set: wanted one way to name the members")
    else:
        addresses = _listed(environ[ADDRESSES])
    if number >= len(addresses):
        raise ConfigError(
            f"{POD_NAME} is {pod!r}, and the set has {len(addresses)} members, the first is number 0: "
            "every pod needs the same, complete list"
        )
    return Member(process_id=number, addresses=addresses)


def _ordinal(pod: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.+)-([0-9]+)", pod)
    if match is None:
        raise ConfigError(
            f"{POD_NAME} is {pod!r}, wanted a name with a number behind its last dash, such as driftflow-0"
        )
    return match[1], int(match[2])


def _addresses_of_pods(name: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    missing = [key for key in (STATEFULSET, SERVICE, REPLICAS) if not environ.get(key)]
    if missing:
        raise ConfigError(f"{', '.join(missing)} not set: {STATEFULSET}, {SERVICE}, {REPLICAS} go together")
    if environ[STATEFULSET] != name:
        raise ConfigError(
            f"{POD_NAME} is a pod of {name!r}, and {STATEFULSET} is {environ[STATEFULSET]!r}: wanted the same"
        )
    replicas = _whole(environ, REPLICAS, "")
    linked = environ.get(PORT, "").startswith("tcp://")
    port = DEFAULT_PORT if linked else _whole(environ, PORT, str(DEFAULT_PORT))
    if port > _LARGEST_PORT:
        raise ConfigError(f"{PORT} is {port}, wanted at most {_LARGEST_PORT}")
    return tuple(f"{name}-{i}.{environ[SERVICE]}:{port}" for i in range(replicas))


def _whole(environ: Mapping[str, str], key: str, default: str) -> int:
    text = environ.get(key, default)
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise ConfigError(f"{key} is {text!r}, wanted a whole number from 1")
    return int(text)


def _listed(text: str) -> tuple[str, ...]:
    addresses = tuple(part.strip() for part in text.split(","))
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not host or not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > _LARGEST_PORT:
            raise ConfigError(f"{ADDRESSES} holds {address!r}, wanted host:port of all members with commas")
    if len(set(addresses)) < len(addresses):
        raise ConfigError(f"{ADDRESSES} holds one address twice: {text}")
    return addresses
