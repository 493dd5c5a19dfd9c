"""The client that a Redis address asks for; apart from the address, as redis-py takes long to load."""

from typing import TypedDict

from redis import Redis, RedisCluster
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.cluster import ClusterNode
from redis.retry import Retry
from redis.sentinel import Sentinel

from state.stores.redis_address import SENTINEL_OPTIONS, TLS_OPTIONS, RedisAddress, Topology

_HEALTH_CHECK_S = 30


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


def connect(address: RedisAddress, *, timeout_s: float) -> Redis | RedisCluster:
    """Return the client; one for a cluster asks it for its nodes, the others connect when they are used.

    A single server's client repeats nothing by itself: after a lost answer it could not tell how many events
    were new. The caller repeats, and knows that it does.
    """
    options = dict(address.options)
    own = {name: options.pop(name) for name in SENTINEL_OPTIONS if name in options}
    transport = _Connection(
        socket_timeout=timeout_s, socket_connect_timeout=timeout_s, protocol=2, ssl=address.tls
    )
    for name in TLS_OPTIONS:
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
