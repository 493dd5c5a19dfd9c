"""What is written to a topic must not be read from it again."""

from flows.config_values import ConfigError
from flows.schema import FileConfig
from flows.sections.channels import TopicConfig


def check_topics(file: FileConfig) -> None:
    """Refuse a topic that would feed itself, or hold two kinds of records.

    Raises
    ------
    ConfigError
        A topic of the output or of a channel is one of the input or of labels, or a channel's is one of the
        output.
    """
    read = dict.fromkeys(file.input.topics or (), "input.topics")
    if file.labels is not None:
        read |= dict.fromkeys(file.labels.topics or (), "labels.topics")
    topics = file.output.topics
    results = {
        "output.topics.events": topics.events,
        "output.topics.dead_letters": topics.dead_letters,
        "output.topics.late_rows": topics.late_rows,
    }
    for key, name in results.items():
        if name in read:
            raise ConfigError(f"`{key}`: found {name!r}, which `{read[name]}` reads; wanted another topic")
    used = read | {name: key for key, name in results.items() if name is not None}
    for channel, given in file.alerts.channels.items():
        if isinstance(given, TopicConfig) and given.topic in used:
            raise ConfigError(
                f"`alerts.channels.{channel}.topic`: found {given.topic!r}, which is that of "
                f"`{used[given.topic]}`; wanted another topic"
            )
