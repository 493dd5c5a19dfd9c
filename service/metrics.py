"""What the service tells Prometheus about itself."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from service.jobs import Jobs, JobState
from service.stores import StorePool
from service.watching import Asked

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_OF_LIBRARY = "/_nicegui"
"""Where the library of the pages has files and connections of its own, with routes that say nothing."""

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class ServiceMetrics:
    """The metrics of one service, in a registry of its own.

    Parameters
    ----------
    jobs
        What runs jobs, by the kind of job.
    clock
        Monotonic seconds, as those of `stores`.
    """

    def __init__(
        self,
        stores: StorePool,
        models: Iterable[str],
        jobs: Mapping[str, Jobs[Any]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._clock = clock
        self._requests = Counter(
            "driftflow_service_requests",
            "Requests that were answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "driftflow_service_request_seconds",
            "From the request to the beginning of its answer",
            ("method", "route"),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._limited = Counter(
            "driftflow_service_rate_limited",
            "Requests that were refused because the caller asks too often",
            ("rate",),
            registry=self.registry,
        )
        self._pages = Gauge("driftflow_service_pages", "Pages that are open", registry=self.registry)
        self._watch_jobs(jobs)
        self._watch_stores(stores, list(models))

    def answered(self, asked: Asked) -> None:
        """Count a request."""
        method = asked.scope["method"]
        # What callers make up themselves must not make series.
        method = method if method in _METHODS else "other"
        route = asked.route or "none"
        if asked.scope["path"].startswith(_OF_LIBRARY):
            route = _OF_LIBRARY
        self._requests.labels(method, route, str(asked.status)).inc()
        self._seconds.labels(method, route).observe(asked.seconds)

    def limited(self, rate: str) -> None:
        """Count a request that was refused."""
        self._limited.labels(rate).inc()

    def watch_pages(self, count: Callable[[], int]) -> None:
        """Ask how many pages are open whenever somebody looks."""
        self._pages.set_function(lambda: float(count()))

    def exposed(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self.registry)

    def _watch_jobs(self, jobs: Mapping[str, Jobs[Any]]) -> None:
        gauge = Gauge(
            "driftflow_service_jobs",
            "Jobs that wait and that run",
            ("kind", "state"),
            registry=self.registry,
        )
        for kind, found in jobs.items():
            for state in (JobState.WAITING, JobState.RUNNING):
                gauge.labels(kind, state.value).set_function(_count(found, state))

    def _watch_stores(self, stores: StorePool, models: Iterable[str]) -> None:
        age = Gauge(
            "driftflow_service_store_look_age_seconds",
            "Since the store of a model has last answered; since the start, before it did",
            ("model",),
            registry=self.registry,
        )
        errors = Counter(
            "driftflow_service_store_errors",
            "Times that a store did not answer",
            ("model",),
            registry=self.registry,
        )
        for model in models:
            age.labels(model).set_function(_age(stores, model, self._clock))
            errors.labels(model)
        stores.on_error = lambda model: errors.labels(model).inc()


def _count(jobs: Jobs[Any], state: JobState) -> Callable[[], float]:
    return lambda: float(jobs.count(state))


def _age(stores: StorePool, model: str, clock: Callable[[], float]) -> Callable[[], float]:
    started = clock()
    return lambda: clock() - stores.answered_at(model, default=started)
