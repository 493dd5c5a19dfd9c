"""Runs a configuration as a set of worker processes under a supervisor."""

import sys
from collections.abc import Sequence
from functools import partial

from flows.commands.exits import ExitCode
from flows.commands.first_reference import Stopped
from flows.commands.run_asked import RunAsked
from flows.commands.run_input import partition_lister
from flows.commands.run_job import prepare
from flows.commands.stored import active_lineage
from flows.commands.usage import UsageError
from flows.engine import drop
from flows.supervisor import supervise
from flows.workers.references import ReferenceWatch


def supervise_run(asked: RunAsked, *, workers: int | None, fail_on_drift: bool, json: bool) -> ExitCode:
    """Start members, watch over them, and end as they end; member 0 tells what was found.

    Parameters
    ----------
    workers
        None: one per partition, up to the cores.
    """
    try:
        prepared = prepare(asked, watched=False)
    except Stopped:
        return ExitCode.DONE
    if prepared.recovery is None:
        raise UsageError(
            "--workers needs a recovery folder, from which members that die go on: add --recovery DIR, or "
            "recovery.folder to the configuration"
        )
    prepared.source.close()

    def command(process_id: int, addresses: Sequence[str]) -> list[str]:
        words = [sys.executable, "-m", "flows.cli", "run", str(asked.config)]
        for option, value in (
            ("--input", asked.input),
            ("--events", asked.events),
            ("--recovery", asked.recovery),
        ):
            words += [] if value is None else [option, str(value)]
        words += ["--process-id", str(process_id), "--addresses", ",".join(addresses)]
        words += ["--metrics-host", asked.metrics_host, *asked.log_options]
        if process_id == 0:
            words += ["--json"] if json else []
            words += ["--fail-on", "drift"] if fail_on_drift else []
        return words

    return supervise(
        command,
        workers=workers,
        partitions=prepared.plan.sources,
        recovery=prepared.recovery,
        list_partitions=partition_lister(prepared.config, prepared.source),
        references=ReferenceWatch(
            prepared.config,
            prepared.recovery.folder,
            partial(active_lineage, prepared.config, str(asked.config)),
        ),
        before=partial(drop, prepared.outputs, prepared.recovery) if asked.overwrite else lambda: None,
        metrics_port=asked.metrics_port,
    )
