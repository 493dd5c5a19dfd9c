from typing import Any

import pytest
from redis import Redis, RedisCluster, SSLConnection
from redis.sentinel import SentinelConnectionPool

from state.stores import redis_client
from state.stores.base import StoreError
from state.stores.redis_address import RedisAddress, Topology, parse_address
from state.stores.redis_client import connect


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("redis://h", RedisAddress(topology=Topology.SINGLE, tls=False, hosts=(("h", 6379),))),
        (
            "REDISS://ann:p%40%2F%3Aw@h:7/3?ssl_ca_certs=/ca.pem",
            RedisAddress(
                topology=Topology.SINGLE,
                tls=True,
                hosts=(("h", 7),),
                username="ann",
                password="p@/:w",  # noqa: S106 - a test's
                database=3,
                options=(("ssl_ca_certs", "/ca.pem"),),
            ),
        ),
        (
            "redis://:pw@[::1]:7",
            RedisAddress(
                topology=Topology.SINGLE,
                tls=False,
                hosts=(("::1", 7),),
                password="pw",  # noqa: S106 - a test's
            ),
        ),
        (
            "redis+sentinel://:pw@a,b:7/mymaster/2?sentinel_password=s",
            RedisAddress(
                topology=Topology.SENTINEL,
                tls=False,
                hosts=(("a", 26379), ("b", 7)),
                password="pw",  # noqa: S106 - a test's
                database=2,
                service="mymaster",
                options=(("sentinel_password", "s"),),
            ),
        ),
        (
            "rediss+cluster://a,b:7",
            RedisAddress(topology=Topology.CLUSTER, tls=True, hosts=(("a", 6379), ("b", 7))),
        ),
    ],
)
def test_urls_are_read(url: str, wanted: RedisAddress) -> None:
    assert parse_address(url) == wanted


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://ann:s3cret@h", "redis://h:6379/0"),
        ("rediss://:s3cret@[::1]/4", "rediss://[::1]:6379/4"),
        (
            "redis+sentinel://:s3cret@a,b/m?sentinel_password=s3cret",
            "redis+sentinel://a:26379,b:26379/m/0",
        ),
        ("redis+cluster://:s3cret@a:1,b:2", "redis+cluster://a:1,b:2/0"),
    ],
)
def test_text_names_the_servers_without_the_password(url: str, shown: str) -> None:
    address = parse_address(url)
    assert str(address) == shown
    assert "s3cret" not in repr(address)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://:s3cret@h", "the beginning is not one of redis://"),
        (":s3cret@h", "the beginning is not one of redis://"),
        ("redis://:s3cret/x@h", "malformed"),
        ("redis://:s3cret#x@h", "malformed"),
        ("redis://:s3cret@h:99999", "malformed"),
        ("redis://:s3cret@[h", "malformed"),
        ("redis://:s3cret@", "a host is missing"),
        ("redis+cluster://a,", "a host is missing"),
        ("redis://:s3cret@h/s3cret", "the database is no number"),
        ("redis://h/-1", "the database is no number"),
        ("redis://h/1/2", "the database is no number"),
        ("redis://a,b", r"2 hosts are given where one is wanted; name redis\+sentinel"),
        ("redis+sentinel://:s3cret@a", "the service is missing"),
        ("redis+sentinel://a//0", "the service is missing"),
        ("redis+cluster://a/2", "the database is 2; a cluster has 0 only"),
        ("redis://h?password=s3cret", "known options: none"),
        ("rediss://h?s3cret=1", "known options: ssl_ca_certs, ssl_certfile"),
        ("redis+sentinel://h/m?ssl_ca_certs=x", "known options: sentinel_username, sentinel_password"),
    ],
)
def test_malformed_urls_are_refused_without_repeating_them(url: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason) as caught:
        parse_address(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_single_server_gets_its_client() -> None:
    client = connect(parse_address("rediss://ann:pw@h:7/3?ssl_ca_certs=/ca.pem"), timeout_s=2.0)
    assert isinstance(client, Redis)
    assert client.connection_pool.connection_class is SSLConnection
    arguments = client.connection_pool.connection_kwargs
    wanted = {
        "host": "h",
        "port": 7,
        "db": 3,
        "username": "ann",
        "password": "pw",
        "socket_timeout": 2.0,
        "socket_connect_timeout": 2.0,
        "ssl_ca_certs": "/ca.pem",
    }
    assert {name: arguments[name] for name in wanted} == wanted
    # After a lost answer a second sending would count no event as new.
    assert arguments["retry"]._retries == 0


def test_sentinels_get_their_own_password() -> None:
    url = "rediss+sentinel://:pw@a,b:7/m/2?sentinel_password=s"
    client = connect(parse_address(url), timeout_s=2.0)
    pool = client.connection_pool  # type: ignore[union-attr]  # a cluster's client has none
    assert isinstance(pool, SentinelConnectionPool)
    assert (pool.service_name, pool.is_master) == ("m", True)
    assert (pool.connection_kwargs["password"], pool.connection_kwargs["db"]) == ("pw", 2)
    assert issubclass(pool.connection_class, SSLConnection)
    found = [sentinel.connection_pool.connection_kwargs for sentinel in pool.sentinel_manager.sentinels]
    assert [(kwargs["host"], kwargs["port"], kwargs["password"]) for kwargs in found] == [
        ("a", 26379, "s"),
        ("b", 7, "s"),
    ]


def test_cluster_gets_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []

    class Cluster(RedisCluster):
        def __init__(self, **arguments: Any) -> None:  # noqa: ANN401 - not looked into
            made.append(arguments)

        def __del__(self) -> None:
            pass

    monkeypatch.setattr(redis_client, "RedisCluster", Cluster)
    assert isinstance(connect(parse_address("rediss+cluster://:pw@a,b:7"), timeout_s=2.0), Cluster)
    (arguments,) = made
    assert [(node.host, node.port) for node in arguments["startup_nodes"]] == [("a", 6379), ("b", 7)]
    assert (arguments["password"], arguments["ssl"], arguments["socket_timeout"]) == ("pw", True, 2.0)
