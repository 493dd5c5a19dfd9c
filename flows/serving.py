"""What the service shows, as configurations name it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.config import Config
from flows.config_values import ConfigError
from flows.connections import store_opener
from flows.on_demand import file_ports
from service.context import Service
from service.models import WatchedColumn, WatchedModel, WatchedWindow
from service.security import VARIABLE, read_keys
from service.stores import StorePool
from state.stores.base import Store


def configured_service(configs: Sequence[Config], environ: Mapping[str, str]) -> Service:
    """Put the service of some models together.

    Raises
    ------
    ConfigError
        Two configurations are of one model.
    BadKeysError
        The keys of the environment cannot be used.
    """
    by_name: dict[str, Config] = {}
    for config in configs:
        name = config.file.model.name
        if name in by_name:
            raise ConfigError(f"`model.name`: found {name!r} in two configurations, wanted one of each model")
        by_name[name] = config

    def open_store(model: str) -> Store | None:
        config = by_name[model]
        # Looking must not leave an empty store behind; until a run writes one there is nothing to show.
        if isinstance(config.store, Path) and not config.store.exists():
            return None
        return store_opener(config)()

    return Service(
        models={name: watched_model(config) for name, config in by_name.items()},
        stores=StorePool(open_store),
        keys=read_keys(environ.get(VARIABLE)),
        ports=file_ports(by_name),
    )


def watched_model(config: Config) -> WatchedModel:
    """Describe the model of a configuration."""
    grid = config.grid
    return WatchedModel(
        name=config.file.model.name,
        version=config.file.model.version,
        axis=grid.axis,
        zone=config.file.time.zone,
        columns=tuple(
            WatchedColumn(name=c.name, kind=c.kind, role=c.role, formula=c.formula) for c in config.columns
        ),
        windows=tuple(
            WatchedWindow(name=w.name, size=w.size * grid.length, slide=w.slide * grid.length)
            for w in grid.windows
        ),
        rules=config.rules,
    )
