"""What all requests share."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import Request

from service.audit import AuditLog
from service.jobs import Jobs
from service.models import WatchedModel
from service.news import News
from service.ports import Compared, Ports, Rate
from service.problems import ProblemError
from service.security import Keyring
from service.stores import StorePool
from service.uploads import UploadLimits
from state.stores.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is served, and to whom.

    Attributes
    ----------
    models
        By name, in the order in which they are listed.
    ports
        What reads files and rows; None where nothing is compared on demand.
    rates
        How often one caller may ask, by what is counted (`service.rate_limit`); nothing bounds the rest.
    news
        What tells pages whether to look again.
    audit
        Where it is written who has changed what.
    clock
        Seconds since the epoch.
    comparisons, builds
        Those that run, and those that have ended of late.
    """

    models: Mapping[str, WatchedModel]
    stores: StorePool
    keys: Keyring = field(default_factory=Keyring)
    ports: Ports | None = None
    upload_limits: UploadLimits = field(default_factory=UploadLimits)
    rates: Mapping[str, Rate] = field(default_factory=dict)
    news: News = field(default_factory=News)
    audit: AuditLog = field(default_factory=AuditLog)
    clock: Callable[[], float] = time.time
    comparisons: Jobs[Compared] = field(default_factory=Jobs)
    builds: Jobs[str] = field(default_factory=Jobs)

    def model(self, name: str) -> WatchedModel:
        """Return a model.

        Raises
        ------
        ProblemError
            It is not served.
        """
        found = self.models.get(name)
        if found is None:
            raise ProblemError(404, f"There is no model {name!r}; there are: {', '.join(self.models)}.")
        return found

    @property
    def needed_ports(self) -> Ports:
        """What reads files and rows.

        Raises
        ------
        ProblemError
            Nothing is compared on demand here.
        """
        if self.ports is None:
            raise ProblemError(501, "This service compares nothing on demand.")
        return self.ports

    def close(self) -> None:
        """End what runs, and close the stores; called once."""
        self.comparisons.close()
        self.builds.close()
        self.stores.close()
        self.audit.close()

    @contextmanager
    def store(self, model: WatchedModel) -> Iterator[Store]:
        """Lend a connection to the store of a model."""
        with self.stores.lend(model.name) as store:
            yield store


def service_of(request: Request) -> Service:
    """Return what the application serves, for routes to depend on."""
    found: Service = request.app.state.service
    return found
