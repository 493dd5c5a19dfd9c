"""What a Redis URL says."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from state.stores.base import StoreError

_PORT = 6379
_SENTINEL_PORT = 26379
_FORM = "redis://[user:password@]host[:port][/database]"
TLS_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs")
SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")


class Topology(StrEnum):
    """How the servers behind a URL are arranged."""

    SINGLE = "redis"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


_SCHEMES = {
    "redis": (Topology.SINGLE, False),
    "rediss": (Topology.SINGLE, True),
    "redis+sentinel": (Topology.SENTINEL, False),
    "rediss+sentinel": (Topology.SENTINEL, True),
    "redis+cluster": (Topology.CLUSTER, False),
    "rediss+cluster": (Topology.CLUSTER, True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """A parsed URL.

    Attributes
    ----------
    hosts
        Host and port of the server, of the sentinels, or of some nodes of the cluster.
    service
        What the sentinels call the master; empty without sentinels.
    options
        Files of TLS, and the sentinels' own user and password.
    """

    topology: Topology
    tls: bool
    hosts: tuple[tuple[str, int], ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    service: str = ""
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        """Return the URL without user, password and options."""
        scheme = next(name for name, kind in _SCHEMES.items() if kind == (self.topology, self.tls))
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        service = f"/{self.service}" if self.service else ""
        return f"{scheme}://{hosts}{service}/{self.database}"


def parse_address(url: str) -> RedisAddress:
    """Read a URL: ``redis://``, ``redis+sentinel://h1,h2/service/0``, ``redis+cluster://h1,h2``.

    ``rediss`` in place of ``redis`` asks for TLS.

    Raises
    ------
    StoreError
        It is malformed. No message repeats the URL, which may hold a password.
    """
    scheme = url.partition("://")[0].lower()
    if "://" not in url or scheme not in _SCHEMES:
        known = ", ".join(f"{name}://" for name in _SCHEMES)
        raise StoreError(f"Redis URL: the beginning is not one of {known}: write it as {_FORM}")
    topology, tls = _SCHEMES[scheme]
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _malformed("the host is malformed") from None
    credentials, _, netloc = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    port = _SENTINEL_PORT if topology is Topology.SENTINEL else _PORT
    hosts = tuple(_host(text, port) for text in netloc.split(","))
    if topology is Topology.SINGLE and len(hosts) > 1:
        raise _malformed(
            f"{len(hosts)} hosts are given where one is wanted; name redis+sentinel or redis+cluster"
        )
    service, database = _path(parts, topology)
    return RedisAddress(
        topology=topology,
        tls=tls,
        hosts=hosts,
        username=unquote(user) or None,
        password=unquote(password) or None,
        database=database,
        service=service,
        options=_options(parts, topology, tls=tls),
    )


def _host(text: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, given = parts.hostname, parts.port
    except ValueError:
        # The reason would quote what may be the end of a password.
        raise _malformed("a host or port is malformed") from None
    if not host:
        raise _malformed("a host is missing")
    return host, port if given is None else given


def _path(parts: SplitResult, topology: Topology) -> tuple[str, int]:
    """Return the service and the number of the database."""
    names = [unquote(name) for name in parts.path.split("/")[1:]]
    service = ""
    if topology is Topology.SENTINEL:
        service = names.pop(0) if names else ""
        if not service:
            raise _malformed("the service is missing; wanted redis+sentinel://host,host/service/0")
    text = "/".join(names) or "0"
    if not (text.isascii() and text.isdecimal()):
        raise _malformed("the database is no number")
    if topology is Topology.CLUSTER and int(text) != 0:
        raise _malformed(f"the database is {int(text)}; a cluster has 0 only")
    return service, int(text)


def _options(parts: SplitResult, topology: Topology, *, tls: bool) -> tuple[tuple[str, str], ...]:
    known = (TLS_OPTIONS if tls else ()) + (SENTINEL_OPTIONS if topology is Topology.SENTINEL else ())
    options = tuple(parse_qsl(parts.query, keep_blank_values=True))
    if parts.fragment or any(name not in known for name, _ in options):
        allowed = ", ".join(known) or "none"
        raise _malformed(f"an option behind '?' or a part behind '#' is unknown; known options: {allowed}")
    return options


def _malformed(what: str) -> StoreError:
    return StoreError(
        f"Redis URL: {what}: write it as {_FORM}, with %-escapes for '/', '#', '?', '@' and '%' in a password"
    )
