"""What a Redis URL says, and the client it asks for."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypedDict
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis import Redis, RedisCluster
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.cluster import ClusterNode
from redis.retry import Retry
from redis.sentinel import Sentinel

from state.stores.base import StoreError

_PORT = 6379
_SENTINEL_PORT = 26379
_HEALTH_CHECK_S = 30
_FORM = "redis://[user:password@]host[:port][/database]"
_TLS_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs")
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")


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


class _Connection(TypedDict, total=False):
    """Arguments that all clients of redis-py take."""

    username: str | None
    password: str | None
    socket_timeout: float
    socket_connect_timeout: float
    health_check_interval: int
    protocol: int
    ssl: bool
    ssl_ca_certs: str
    ssl_certfile: str
    ssl_keyfile: str
    ssl_cert_reqs: str


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


def connect(address: RedisAddress, *, timeout_s: float) -> Redis | RedisCluster:
    """Return the client; one for a cluster asks it for its nodes, the others connect when they are used.

    A single server's client repeats nothing by itself: after a lost answer it could not tell how many events
    were new. The caller repeats, and knows that it does.
    """
    options = dict(address.options)
    own = {name: options.pop(name) for name in _SENTINEL_OPTIONS if name in options}
    transport = _Connection(
        socket_timeout=timeout_s, socket_connect_timeout=timeout_s, protocol=2, ssl=address.tls
    )
    for name in _TLS_OPTIONS:
        if name in options:
            transport[name] = options[name]  # type: ignore[literal-required]  # a name of the tuple above
    common = _Connection(
        username=address.username,
        password=address.password,
        health_check_interval=_HEALTH_CHECK_S,
        **transport,
    )
    if address.topology is Topology.CLUSTER:
        nodes = [ClusterNode(host, port) for host, port in address.hosts]  # type: ignore[no-untyped-call]  # theirs
        # It has to ask again where a key is while the cluster moves keys or replaces a master.
        retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), 3)
        return RedisCluster(startup_nodes=nodes, retry=retry, **common)
    retry = Retry(NoBackoff(), 0)
    if address.topology is Topology.SINGLE:
        ((host, port),) = address.hosts
        return Redis(host=host, port=port, db=address.database, retry=retry, **common)
    sentinel_arguments = {
        "retry": retry,
        "username": own.get("sentinel_username"),
        "password": own.get("sentinel_password"),
        **transport,
    }
    sentinels = Sentinel(list(address.hosts), sentinel_kwargs=sentinel_arguments)  # type: ignore[no-untyped-call]  # theirs
    master = sentinels.master_for(address.service, db=address.database, retry=retry, **common)  # type: ignore[no-untyped-call]  # theirs
    assert isinstance(master, Redis)
    return master


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
    known = (_TLS_OPTIONS if tls else ()) + (_SENTINEL_OPTIONS if topology is Topology.SENTINEL else ())
    options = tuple(parse_qsl(parts.query, keep_blank_values=True))
    if parts.fragment or any(name not in known for name, _ in options):
        allowed = ", ".join(known) or "none"
        raise _malformed(f"an option behind '?' or a part behind '#' is unknown; known options: {allowed}")
    return options


def _malformed(what: str) -> StoreError:
    return StoreError(
        f"Redis URL: {what}: write it as {_FORM}, with %-escapes for '/', '#', '?', '@' and '%' in a password"
    )
