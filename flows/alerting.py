"""Alerting as the configuration names it: source, store, channels, and turns until it is stopped."""

import logging
import os
import random
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from secrets import token_hex
from typing import TextIO

from alerts.alerting import Alerting, Looking
from alerts.channels.command import CommandChannel, environment_of
from alerts.deciding import Rules
from alerts.delivery import Heard, LeaseLostError, Outlet, Passed
from alerts.retrain_rules import COMMAND_CHANNEL
from alerts.store_watch import StoreWatch
from alerts.vitals import Vitals
from flows.alert_channels import open_channel
from flows.alert_lease import CLAIM_MS, StoreLease
from flows.alert_topic import publisher_opener
from flows.config import Config
from flows.connections import store_opener
from flows.event_sources import EventSource, event_sources
from flows.patience import Patience
from flows.sections.alerts import alert_channels
from flows.sections.channels import ChannelSection
from flows.sections.monitor import interval_ms, worker_addresses
from flows.sections.retraining import command_timeout_s
from flows.vitals import ScrapedVitals
from state.stores.base import Store, StoreBusyError

PAUSE_S = 0.5
TIDY_S = 3_600.0

_logger = logging.getLogger("driftflow.alerts")


def now_ms() -> int:
    """Return milliseconds since the epoch by the wall clock."""
    return time.time_ns() // 1_000_000


@contextmanager
def opened_outlets(config: Config, environ: Mapping[str, str], stream: TextIO) -> Iterator[dict[str, Outlet]]:
    """Open all channels.

    Raises
    ------
    ConfigError
        One of them cannot work.
    """
    kafka = publisher_opener(config, environ)
    with ExitStack() as stack:
        outlets: dict[str, Outlet] = {}
        for name, given in alert_channels(config.file.alerts).items():
            channel = open_channel(
                name, given, folder=config.folder, environ=environ, stream=stream, kafka=kafka
            )
            stack.callback(channel.close)
            outlets[name] = Outlet(
                channel=channel, max_attempts=given.max_attempts, cap_per_hour=given.cap_per_hour
            )
        retraining = config.file.alerts.retraining
        if retraining is not None and retraining.command:
            command = CommandChannel(
                COMMAND_CHANNEL,
                retraining.command,
                folder=config.folder,
                timeout_s=command_timeout_s(retraining),
                environment=environment_of(retraining.env, environ),
            )
            stack.callback(command.close)
            usual = ChannelSection()
            outlets[COMMAND_CHANNEL] = Outlet(
                channel=command, max_attempts=usual.max_attempts, cap_per_hour=usual.cap_per_hour
            )
        yield outlets


class AlertRun:
    """Turns of alerting until it is stopped; after a failure of the store it goes on from what is stored.

    Parameters
    ----------
    from_start
        See `alerts.alerting.Alerting`.
    stopped
        Whether to end.
    wait
        Called with seconds between turns.
    clock_ms
        The wall clock, milliseconds since the epoch.
    hold_ms
        How long the right to send is held without being renewed.
    open_store, vitals
        In place of the store and the workers that the configuration names.
    """

    def __init__(
        self,
        config: Config,
        outlets: Mapping[str, Outlet],
        environ: Mapping[str, str],
        *,
        from_start: bool,
        stopped: Callable[[], bool],
        heard: Heard,
        wait: Callable[[float], None] = time.sleep,
        clock_ms: Callable[[], int] = now_ms,
        hold_ms: int = CLAIM_MS,
        open_store: Callable[[], Store] | None = None,
        vitals: Vitals | None = None,
    ) -> None:
        self._config = config
        self._outlets = outlets
        self._environ = environ
        self._from_start = from_start
        self._stopped = stopped
        self._heard = heard
        self._wait = wait
        self._now_ms = clock_ms
        self._hold_ms = hold_ms
        self._open_store = open_store or store_opener(config)
        monitor = config.file.alerts.monitor
        self._looking = Looking(
            vitals=vitals or ScrapedVitals(worker_addresses(monitor)), interval_ms=interval_ms(monitor)
        )
        self._store_watch = StoreWatch(
            config.alerts, config.monitor, outlets, now_ms=clock_ms, random=random.random, heard=heard
        )
        self._standing_by = False
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}"
        self._whole = Passed()

    def follow(self) -> None:
        """Turn after turn until it is stopped."""
        self._lasting(self._follow)

    def once(self) -> Passed:
        """Tell of all that there is, and try once whatever waits; return what all turns came to."""
        return self._lasting(self._once)

    def _lasting(self, work: Callable[[Alerting, StoreLease], None]) -> Passed:
        patience = Patience("alerting", service="the store")
        try:
            while not self._worked(work, patience) and not self._stopped():
                pass
        finally:
            self._store_watch.ends()
        return self._whole

    def _worked(self, work: Callable[[Alerting, StoreLease], None], patience: Patience) -> bool:
        """Go on from what is stored; False where the store failed."""
        try:
            with ExitStack() as stack:
                store = self._open_store()
                stack.callback(store.close)
                lease = self._lease(store)
                if not self._claimed(lease):
                    return True
                stack.callback(lease.give_back)
                source = stack.enter_context(event_sources(self._config, self._environ))
                alerting = self._alerting(store, lease, source)
                patience.succeeded()
                work(alerting, lease)
        except LeaseLostError as error:
            _logger.warning("%s", error)
            return False
        except StoreBusyError as error:
            # The process that sends the alerts tells it.
            if not self._standing_by:
                self._store_watch.away(str(error))
            # What was read and not stored is read again.
            self._wait(patience.failed(str(error)))
            return False
        return True

    def _follow(self, alerting: Alerting, lease: StoreLease) -> None:
        tidied_s = float("-inf")
        while not self._stopped():
            lease.renew()
            self._count(alerting.turn())
            self._store_watch.answers()
            if time.monotonic() - tidied_s > TIDY_S:
                alerting.tidy()
                tidied_s = time.monotonic()
            if alerting.caught_up:
                self._wait(PAUSE_S)

    def _once(self, alerting: Alerting, lease: StoreLease) -> None:
        while not self._stopped():
            lease.renew()
            passed = alerting.turn(flush=True)
            self._count(passed)
            self._store_watch.answers()
            # A turn that has reached the end flushes what was read before it; one more finds nothing new.
            if alerting.caught_up and not (passed.sent or passed.died):
                return

    def _alerting(
        self, store: Store, lease: StoreLease, open_source: Callable[[bytes | None], EventSource]
    ) -> Alerting:
        return Alerting(
            store,
            Rules(
                alerts=self._config.alerts,
                retraining=self._config.retraining,
                monitor=self._config.monitor,
            ),
            self._outlets,
            open_source,
            lease=lease,
            from_start=self._from_start,
            now_ms=self._now_ms,
            random=random.random,
            heard=self._heard,
            looking=self._looking,
        )

    def _count(self, passed: Passed) -> None:
        self._whole = Passed(
            sent=self._whole.sent + passed.sent,
            failed=self._whole.failed + passed.failed,
            died=self._whole.died + passed.died,
            waiting=passed.waiting,
        )

    def _claimed(self, lease: StoreLease) -> bool:
        """Wait for the right to send; False where it is stopped before."""
        while not lease.take():
            if not self._standing_by:
                _logger.warning(
                    "another process sends the alerts of %s; this one waits until it ends",
                    self._config.file.model.name,
                )
                self._standing_by = True
            if self._stopped():
                return False
            self._wait(PAUSE_S)
        self._standing_by = False
        return True

    def _lease(self, store: Store) -> StoreLease:
        return StoreLease(
            store,
            self._open_store,
            model=self._config.file.model.name,
            owner=self._owner,
            now_ms=self._now_ms,
            hold_ms=self._hold_ms,
        )
