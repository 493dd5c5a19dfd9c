"""What installed packages declare under an entry point group, beside what is built in."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from detectors.base import DriftflowError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginKind(Generic[T]):
    """One kind of plug-in.

    Attributes
    ----------
    what, protocol
        What messages call it, and what it has to meet.
    attributes
        Names that it must have.
    make
        Turns what the entry point names into what is registered.
    error
        Raised for a plug-in that cannot be used.
    """

    what: str
    protocol: str
    attributes: Sequence[str]
    make: Callable[[Any], T]
    error: type[DriftflowError]

    def table(self, built_in: Mapping[str, T], plugins: Iterable[EntryPoint]) -> Mapping[str, T]:
        """Return everything by name: what is built in, then plug-ins in alphabetical order."""
        table = dict(built_in)
        for plugin in sorted(plugins, key=lambda each: (each.name, each.value)):
            if plugin.name in table:
                raise self.error(
                    f"The {self.what} name {plugin.name!r} is taken twice, the second time by "
                    f"{plugin.value!r}; uninstall one of the packages or rename its entry point."
                )
            table[plugin.name] = self._load(plugin)
        return MappingProxyType(table)

    def _load(self, plugin: EntryPoint) -> T:
        try:
            loaded = self.make(plugin.load())
            missing = [attribute for attribute in self.attributes if not hasattr(loaded, attribute)]
        except Exception as error:
            raise self.error(
                f"The {self.what} {plugin.name!r} ({plugin.value!r}) cannot be loaded: {error!r}; "
                "repair or uninstall the package that declares it."
            ) from error
        if missing:
            raise self.error(
                f"The {self.what} {plugin.name!r} ({plugin.value!r}) lacks {', '.join(missing)}; "
                f"it must meet {self.protocol}."
            )
        named = getattr(loaded, "name", None)
        if named != plugin.name:
            raise self.error(
                f"The {self.what} declared as {plugin.name!r} ({plugin.value!r}) calls itself {named!r}; "
                "give both the same name."
            )
        return loaded
