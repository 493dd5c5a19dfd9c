"""The text of a configuration file: YAML without surprises, with values from the environment filled in."""

import os
import re

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
