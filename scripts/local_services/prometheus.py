"""Prometheus and promtool out of Debian's package, unpacked and not installed: nothing is started."""

import shutil
from pathlib import Path

from scripts.local_services.base import ServiceError
from scripts.local_services.packages import fresh_folder, run
from scripts.local_services.places import cache_folder


def prometheus_program(name: str) -> Path:
    """Path of ``prometheus`` or ``promtool``: that on PATH, or out of Debian's package.

    Raises
    ------
    ServiceError
        It is not on PATH, and the package cannot be had.
    """
    found = shutil.which(name)
    return Path(found) if found is not None else _unpacked() / "usr/bin" / name


def _unpacked() -> Path:
    target = cache_folder() / "prometheus"
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if apt is None or dpkg is None:
        raise ServiceError("no prometheus on PATH, and no Debian to fetch it from: install Prometheus")
    with fresh_folder(target) as folder:
        if folder is not None:
            _fetch(apt, dpkg, folder)
    return target


def _fetch(apt: str, dpkg: str, folder: Path) -> None:
    run([apt, "update"], doing="reading Debian's package lists")
    # apt-get writes into the folder that it is called in, and checks the signature.
    shell = ["/bin/sh", "-c", 'cd "$1" && exec "$2" download prometheus', "sh", str(folder), apt]
    run(shell, doing="downloading Debian's prometheus (about 19 MB)")
    for package in folder.glob("*.deb"):
        run([dpkg, "--extract", str(package), str(folder)], doing="unpacking it")
        package.unlink()
