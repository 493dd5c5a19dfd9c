"""The text of a configuration file: YAML without surprises, with values from the environment filled in."""

import os
import re
from pathlib import Path

import yaml

from flows.config_values import ConfigError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def filled(value: object, path: str) -> object:
    """Replace ``${NAME}`` and ``${NAME:-default}`` in texts by the environment."""
    if isinstance(value, dict):
        return {key: filled(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, f"{path}[{i}]") for i, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def found(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        filled = os.environ.get(name, default)
        if filled is None:
            raise ConfigError(f"`{path}` names the environment variable {name}, which is not set")
        return filled

    return _VARIABLE.sub(found, value)


def named_variables(value: object) -> list[str]:
    """Return the names of the variables of the environment that a value is filled from."""
    if isinstance(value, dict):
        return [name for item in value.values() for name in named_variables(item)]
    if isinstance(value, list):
        return [name for item in value for name in named_variables(item)]
    return [found[1] for found in _VARIABLE.finditer(value)] if isinstance(value, str) else []


def read_text(path: Path) -> str:
    """Read a configuration file.

    Raises
    ------
    ConfigError
        It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error


def parse_text(text: str, name: str) -> object:
    """Return what a text says, nothing filled in; `name` is what errors call it.

    Raises
    ------
    ConfigError
        The text is not YAML.
    """
    try:
        found: object = yaml.load(text, Loader=Loader)  # noqa: S506  # a SafeLoader that refuses repeated keys
    except yaml.YAMLError as error:
        raise ConfigError(f"{name} is not YAML: {error}") from error
    return found


class Loader(yaml.SafeLoader):
    """YAML without repeated keys, which would silently overrule each other, and with times left as text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:  # noqa: FBT001, FBT002
        """Build a mapping, each key once."""
        seen = set[object]()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
