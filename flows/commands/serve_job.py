"""Starts the service, and says where it is."""

import os
import signal
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from detectors.base import DriftflowError
from flows.commands.console import say
from flows.commands.listening import address_of, host_of, inherited, listening_at
from flows.config import load_config
from service.security import VARIABLE, check_address

_LIBRARIES = ("fastapi", "nicegui", "uvicorn")


class ServiceMissingError(DriftflowError):
    """What serves is not installed."""


def check_installed() -> None:
    """Refuse to serve without the libraries for it, before any of them is loaded.

    Raises
    ------
    ServiceMissingError
        The extra `service` is not installed.
    """
    if any(find_spec(name) is None for name in _LIBRARIES):
        raise ServiceMissingError(
            "the service needs the extra 'service': scripts/env service in a clone, "
            "else pip install 'driftflow[service]'"
        )


def serve_models(
    paths: Sequence[Path],
    *,
    host: str,
    port: int,
    fd: int | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Parameters
    ----------
    fd
        A socket that listens already, in place of `host` and `port`.

    Raises
    ------
    ServiceMissingError
        The extra `service` is not installed.
    AddressTakenError
        Something listens at the address already.
    BadKeysError
        The address can be reached by other machines, and no key is set.
    """
    check_installed()
    import uvicorn  # noqa: PLC0415  # an extra

    from flows.serving import configured_service  # noqa: PLC0415
    from service.app import create_app  # noqa: PLC0415

    handed = None if fd is None else inherited(fd)
    service = configured_service([load_config(path) for path in paths], os.environ)
    check_address(host if handed is None else host_of(handed), service.keys)
    listening = listening_at(host, port) if handed is None else handed
    address = address_of(listening)
    say(f"Serving {', '.join(service.models)} at {address} (API: {address}/docs); Ctrl-C ends it.")
    if not service.keys.callers:
        say(f"No API key is set ({VARIABLE}): everyone on this machine may do everything.")
    settings = uvicorn.Config(create_app(service, pages=True), log_level="warning", server_header=False)
    # uvicorn ends in good order, then raises the signal again; whoever sent it has what they wanted.
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, lambda _told, _frame: None)
    uvicorn.Server(settings).run(sockets=[listening])
