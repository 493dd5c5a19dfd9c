"""What all requests share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import Request

from service.models import WatchedModel
from service.problems import ProblemError
from service.security import Keyring
from service.stores import StorePool
from state.stores.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is served, and to whom.

    Attributes
    ----------
    models
        By name, in the order in which they are listed.
    """

    models: Mapping[str, WatchedModel]
    stores: StorePool
    keys: Keyring = field(default_factory=Keyring)

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

    @contextmanager
    def store(self, model: WatchedModel) -> Iterator[Store]:
        """Lend a connection to the store of a model."""
        with self.stores.lend(model.name) as store:
            yield store


def service_of(request: Request) -> Service:
    """Return what the application serves, for routes to depend on."""
    found: Service = request.app.state.service
    return found
