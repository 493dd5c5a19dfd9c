"""Where a configuration sends its results."""

from collections.abc import Mapping
from pathlib import Path

from flows.config import Config
from flows.connections import kafka_connector, store_opener
from flows.graph import Outputs, Topics
from flows.sinks.rolling import Rolling


def configured_outputs(
    config: Config, job: str, environ: Mapping[str, str], *, events: Path | None = None
) -> Outputs:
    """Take files, store and topics from a configuration; makes the folders of the files.

    Parameters
    ----------
    job
        Name under which results are written to topics; the same across restarts, and no other job's.
    events
        File for the events in place of the configured one.
    """
    output = config.file.output
    outputs = Outputs(
        events=events or config.output / output.events,
        dead_letters=config.output / output.dead_letters,
        late_rows=None if output.late_rows is None else config.output / output.late_rows,
        open_store=store_opener(config),
        performance=None if config.performance is None else config.output / output.performance,
        errors=config.output / output.errors if config.late_errors else None,
        topics=_topics(config, job, environ),
        rolling=None
        if output.max_file_bytes is None
        else Rolling(max_bytes=output.max_file_bytes, keep_files=output.keep_files),
    )
    for path in (outputs.events, outputs.dead_letters, outputs.performance, outputs.errors):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
    return outputs


def _topics(config: Config, job: str, environ: Mapping[str, str]) -> Topics | None:
    given = config.file.output.topics
    if (given.events, given.dead_letters, given.late_rows) == (None, None, None):
        return None
    return Topics(
        open_client=kafka_connector(config, environ),
        job=job,
        transactions=given.transactions,
        events=given.events,
        dead_letters=given.dead_letters,
        late_rows=given.late_rows,
    )
