"""A service over a store of any kind, filled with what a short demo found."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from flows.config import load_config
from flows.serving import watched_model
from service.app import create_app
from service.context import Service
from service.security import Keyring, read_keys
from service.stores import StorePool
from state.stores.base import Store

READ, WRITE, ADMIN = "read-key-0123456789", "write-key-0123456789", "admin-key-0123456789"
KEYS = f"grafana:read:{READ},pipeline:write:{WRITE},anna:admin:{ADMIN}"

NO_KEYS = Keyring()


@contextmanager
def client_of(
    config: Path,
    open_store: Callable[[], Store | None],
    keys: Keyring = NO_KEYS,
    **options: Any,  # noqa: ANN401  # attributes of a service
) -> Iterator[TestClient]:
    """Serve one configured model from a store."""
    model = watched_model(load_config(config))
    stores = StorePool(lambda _model: open_store())
    service = Service(models={model.name: model}, stores=stores, keys=keys, **options)
    # Errors of ours shall come as answers, as they do in operation.
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield client


def all_keys() -> Keyring:
    """Return a key for each role."""
    return read_keys(KEYS)
