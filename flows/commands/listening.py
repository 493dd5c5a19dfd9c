"""The socket that the service listens at: opened here, or handed over by whoever started this process."""

import socket

from detectors.base import DriftflowError


class AddressTakenError(DriftflowError):
    """Nothing can listen at the address."""


def listening_at(host: str, port: int) -> socket.socket:
    """Open a socket.

    Raises
    ------
    AddressTakenError
        Something listens there already, or the address is not one of this machine.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # Who asks before the first answer can be given waits, and is not refused.
        listening.listen()
    except OSError as error:
        listening.close()
        raise AddressTakenError(
            f"cannot listen at {host}:{port}: {error.strerror}; name another --port"
        ) from error
    return listening


def inherited(fd: int) -> socket.socket:
    """Take over a socket that listens already.

    Raises
    ------
    AddressTakenError
        This file descriptor is none.
    """
    try:
        listening = socket.socket(fileno=fd)
        listens = listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise AddressTakenError(f"--fd {fd} is no socket: {error.strerror}") from error
    if not listens or listening.family not in {socket.AF_INET, socket.AF_INET6}:
        listening.close()
        raise AddressTakenError(f"--fd {fd} does not listen at an address of IP")
    return listening


def host_of(listening: socket.socket) -> str:
    """Return the address without the port."""
    return str(listening.getsockname()[0])


def address_of(listening: socket.socket) -> str:
    """Return the address as a browser takes it."""
    host = host_of(listening)
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
