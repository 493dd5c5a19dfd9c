"""A named set of services on this machine: their records, data and logs in one folder."""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from scripts.local_services.base import Service, ServiceError, say
from scripts.local_services.kafka_node import KafkaNode
from scripts.local_services.places import cache_folder, free_ports, is_free, stack_folder
from scripts.local_services.processes import Record, end, is_running, read_record, start, write_record
from scripts.local_services.redis_node import RedisNode

SERVICES: tuple[Service, ...] = (KafkaNode(), RedisNode())

_READY_S = 90.0
_POLL_S = 0.1
_LAST_LINES = 15
_KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The services of one name; whoever changes it holds its lock (`places.locked`)."""

    name: str

    @property
    def folder(self) -> Path:
        """Everything of this stack; `down` removes it."""
        return stack_folder(self.name)

    @property
    def kept(self) -> bool:
        """Whether a person asked for it, so that tests leave it running."""
        return (self.folder / _KEPT).exists()

    def keep(self) -> None:
        """Remember that a person asked for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / _KEPT).touch()

    def log(self, service: Service) -> Path:
        """What the service prints."""
        return self.folder / service.name / "output.log"

    def record(self, service: Service) -> Record | None:
        """What was started last, running or not."""
        return read_record(self.folder / service.name / "record.json")

    def running(self, service: Service) -> Record | None:
        """Say what runs, if it runs."""
        record = self.record(service)
        return record if record is not None and is_running(record) else None

    def address(self, service: Service) -> str | None:
        """Where the service was last started; None where it never was."""
        record = self.record(service)
        return None if record is None else service.address(record.ports[0])

    def start(self, service: Service) -> None:
        """Start on the port and with the data of the last time; return once it works.

        Raises
        ------
        ServiceError
            It cannot be downloaded or configured, its port is taken, or it does not come to work.
        """
        record = self.running(service)
        if record is None:
            record = self._launch(service)
        self._await_ready(service, record)

    def stop(self, service: Service) -> None:
        """End the service, keep its port and its data."""
        record = self.record(service)
        if record is None:
            raise ServiceError(
                f"{service.name} was not started here: run scripts/services start {service.name}"
            )
        end(record)

    def down(self) -> None:
        """End everything and remove the data."""
        for service in SERVICES:
            record = self.record(service)
            if record is not None:
                end(record)
        shutil.rmtree(self.folder, ignore_errors=True)

    def last_lines(self, service: Service, count: int = _LAST_LINES) -> str:
        """End of the log; empty where there is none."""
        log = self.log(service)
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:]) if log.exists() else ""

    def _launch(self, service: Service) -> Record:
        installed = service.install(cache_folder())
        data = self.folder / service.name
        data.mkdir(parents=True, exist_ok=True)
        before = self.record(service)
        ports = before.ports if before is not None else free_ports(service.n_ports)
        taken = [port for port in ports if not is_free(port)]
        if taken:
            raise ServiceError(
                f"{service.name} used port {taken[0]} of 127.0.0.1 and another program has it now: "
                f"end that program, or give up this data with scripts/services --name {self.name} down"
            )
        launch = service.prepare(installed, data, ports)
        record = start(launch, log=self.log(service), ports=ports)
        write_record(data / "record.json", record)
        return record

    def _await_ready(self, service: Service, record: Record) -> None:
        deadline = time.monotonic() + _READY_S
        while True:
            try:
                # Clients wait long for a port on which nobody listens yet.
                if not is_free(record.ports[0]):
                    service.check(record.ports[0])
                    return
                reason = f"nothing listens on port {record.ports[0]}"
            # Clients have errors of many kinds for a server that is not ready, and each means the same here.
            except Exception as error:  # noqa: BLE001
                reason = f"{type(error).__name__}: {error}"
            if not is_running(record) or time.monotonic() > deadline:
                fate = "does not answer" if is_running(record) else "ended"
                raise ServiceError(
                    f"{service.name} {fate} ({reason}); want it to work within {_READY_S:.0f} s. "
                    f"The end of {self.log(service)}:\n{self.last_lines(service)}"
                )
            time.sleep(_POLL_S)


def given(service: Service, stack: Stack) -> str | None:
    """Address from the environment, unless it is this stack's own (`eval "$(scripts/services env)"`)."""
    address = os.environ.get(service.variable)
    return address if address and address != stack.address(service) else None


def say_started(stack: Stack, service: Service) -> None:
    """One line for the person."""
    record = stack.running(service)
    if record is not None:
        say(f"{service.name} works at {service.address(record.ports[0])} (process {record.pid})")
