"""The commands of scripts/services."""

import argparse
import logging
import os
import shlex
import sys
import time
from collections.abc import Sequence

from scripts.local_services.base import Service, ServiceError, say
from scripts.local_services.places import DEFAULT_STACK, locked, stacks_folder
from scripts.local_services.stack import SERVICES, Stack, given, say_started

_LOG_LINES = 60
_NAMES = {service.name: service for service in SERVICES}


def main() -> int:
    """Do what the command line asks; 0 when all is well."""
    asked = _parser().parse_args()
    # The client reports every refused connection; while a server starts they are expected.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    stack = Stack(name=asked.name)
    services = [_NAMES[name] for name in dict.fromkeys(asked.services)] or list(SERVICES)
    try:
        match asked.command:
            case "up":
                _up(stack, services, for_tests=asked.for_tests)
            case "start":
                _start(stack, services)
            case "stop":
                _stop(stack, services)
            case "down":
                _down(stack, every=asked.all)
            case "status":
                return _status(stack, services)
            case "env":
                _env(stack, services)
            case "logs":
                _logs(stack, services)
    except ServiceError as error:
        say(f"scripts/services: {error}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/services", description="A real Kafka and a real Redis with TS.* on this machine."
    )
    parser.add_argument(
        "--name", default=DEFAULT_STACK, help="which stack, with processes and data of its own"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command, text in (
        ("up", "start what the environment does not name; does nothing to what runs"),
        ("start", "start on the port and with the data of the last time, whatever the environment names"),
        ("stop", "end, and keep port and data"),
        ("status", "what runs, and where; exit code 1 unless all does"),
        ("env", "addresses as lines for a shell"),
        ("logs", "the end of what the services printed"),
    ):
        one = commands.add_parser(command, help=text, description=text)
        # An empty list is all; `choices` would refuse it.
        one.add_argument("services", nargs="*", type=_service_name, metavar="kafka|redis")
        if command == "up":
            one.add_argument("--for-tests", action="store_true", help="may be ended when the tests end")
    down = commands.add_parser("down", help="end everything and remove its data")
    down.add_argument("--all", action="store_true", help="every stack of this checkout")
    down.set_defaults(services=[])
    return parser


def _service_name(text: str) -> str:
    if text not in _NAMES:
        raise argparse.ArgumentTypeError(f"service {text!r}: want {' or '.join(_NAMES)}")
    return text


def _up(stack: Stack, services: Sequence[Service], *, for_tests: bool) -> None:
    # First what the environment names, last what the package clients can fetch. Between the two belong
    # containers, once docker-compose.yml has a kafka and a redis.
    missing = []
    for service in services:
        address = given(service, stack)
        if address is None:
            missing.append(service)
        else:
            say(f"{service.name}: {service.variable} is set, nothing to start")
    if missing:
        _start(stack, missing, keep=not for_tests)


def _start(stack: Stack, services: Sequence[Service], *, keep: bool = False) -> None:
    began = time.monotonic()
    with locked(stacks_folder() / "lock"):
        if keep:
            stack.keep()
        for service in services:
            stack.start(service)
            say_started(stack, service)
    say(f"ready after {time.monotonic() - began:.1f} s")


def _stop(stack: Stack, services: Sequence[Service]) -> None:
    with locked(stacks_folder() / "lock"):
        for service in services:
            stack.stop(service)
            say(f"{service.name} stopped; its data waits for scripts/services start {service.name}")


def _down(stack: Stack, *, every: bool) -> None:
    folder = stacks_folder()
    with locked(folder / "lock"):
        names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if every else [stack.name]
        for name in names:
            Stack(name=name).down()
            say(f"stack {name} is down, its data is removed")


def _status(stack: Stack, services: Sequence[Service]) -> int:
    well = True
    for service in services:
        address, record = given(service, stack), stack.running(service)
        if address is not None:
            line = f"{service.variable} is set; not looked at"
        elif record is None:
            line, well = "not running", False
        else:
            try:
                service.check(record.ports[0])
                state = "works"
            # Whatever a client raises, the service does not do its work.
            except Exception as error:  # noqa: BLE001
                state, well = f"does not answer ({type(error).__name__})", False
            line = f"{state} at {service.address(record.ports[0])}, process {record.pid}"
        sys.stdout.write(f"{service.name:6} {line}\n")
    return 0 if well else 1


def _env(stack: Stack, services: Sequence[Service]) -> None:
    pairs = []
    for service in services:
        address = given(service, stack)
        if address is None and stack.running(service) is not None:
            address = stack.address(service)
        if address is None:
            raise ServiceError(f"{service.name} does not run: run scripts/services up")
        pairs.append(f"{service.variable}={shlex.quote(address)}")
    sys.stdout.write(f"export {' '.join(pairs)}\n")


def _logs(stack: Stack, services: Sequence[Service]) -> None:
    for service in services:
        sys.stdout.write(f"==> {stack.log(service)}\n{stack.last_lines(service, _LOG_LINES)}\n")


if __name__ == "__main__":
    # Files of a server are nobody else's business.
    os.umask(0o077)
    sys.exit(main())
