"""What the service shows, as configurations name it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.config import Config
from flows.config_values import ConfigError
from flows.connections import store_opener
from flows.on_demand import file_ports
from flows.schema import FileConfig
from flows.sections.service import ServiceConfig, service_rates
from service.audit import STDOUT, AuditLog
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
        Two configurations are of one model, or say different things about the service.
    BadKeysError
        The keys of the environment cannot be used.
    """
    by_name: dict[str, Config] = {}
    for config in configs:
        name = config.file.model.name
        if name in by_name:
            raise ConfigError(f"`model.name`: found {name!r} in two configurations, wanted one of each model")
        by_name[name] = config

    settled = _settled([config.file for config in configs])
    audit = _audit(settled.audit_log, configs[0].folder)

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
        rates=service_rates(settled),
        audit=audit,
    )


def _settled(files: Sequence[FileConfig]) -> ServiceConfig:
    """Return what is said of the service; files that say nothing of it go by what the others say."""
    said = [file for file in files if file.service != ServiceConfig()]
    for file in said[1:]:
        if file.service != said[0].service:
            raise ConfigError(
                f"`service`: found two that differ, of {said[0].model.name} and {file.model.name}; "
                "wanted the same in all that are served together, or in one alone"
            )
    return said[0].service if said else ServiceConfig()


def _audit(place: str | None, folder: Path) -> AuditLog:
    try:
        return AuditLog(place if place in (None, STDOUT) else folder / str(place))
    except OSError as error:
        raise ConfigError(
            f"`service.audit_log`: found {place!r}, which cannot be written ({error.strerror}); "
            "wanted a file in a folder that is there, or '-'"
        ) from error


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
