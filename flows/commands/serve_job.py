"""Starts the service, and says where it is."""

import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from detectors.base import DriftflowError
from flows.commands.console import say
from flows.config import load_config
from service.security import VARIABLE, check_address

_MISSING = "the service needs the extra 'service': pip install 'driftflow[service]'"


class ServiceMissingError(DriftflowError):
    """What serves is not installed, or the address is taken."""


def serve_models(paths: Sequence[Path], *, host: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises
    ------
    ServiceMissingError
        The extra `service` is not installed, or something listens at the address already.
    BadKeysError
        The address can be reached by other machines, and no key is set.
    """
    try:
        import uvicorn  # noqa: PLC0415  # an extra

        from flows.serving import configured_service  # noqa: PLC0415
        from service.app import create_app  # noqa: PLC0415
    except ImportError as error:
        raise ServiceMissingError(_MISSING) from error
    service = configured_service([load_config(path) for path in paths], os.environ)
    check_address(host, service.keys)
    listening = _bound(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
    say(f"Serving {', '.join(service.models)} at {address} (API: {address}/docs); Ctrl-C ends it.")
    if not service.keys.callers:
        say(f"No API key is set ({VARIABLE}): everyone on this machine may do everything.")
    settings = uvicorn.Config(create_app(service, pages=True), log_level="warning", server_header=False)
    # uvicorn ends in good order, then raises the signal again; whoever sent it has what they wanted.
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, lambda _told, _frame: None)
    uvicorn.Server(settings).run(sockets=[listening])


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # Who asks before the first answer can be given waits, and is not refused.
        listening.listen()
    except OSError as error:
        listening.close()
        raise ServiceMissingError(
            f"cannot listen at {host}:{port}: {error.strerror}; name another --port"
        ) from error
    return listening
