"""Runs a configuration on Bytewax and tells what it found."""

import os
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from msgspec.structs import replace
from rich.console import Console

from flows.batch import Batch
from flows.commands.console import commands_lines, messages, results, say, show, shown
from flows.commands.document import print_json
from flows.commands.exits import ExitCode
from flows.commands.first_reference import Stopped, settle_reference
from flows.commands.run_asked import RunAsked, member_of, recovery_of
from flows.commands.run_input import check_decoders, open_input
from flows.commands.run_next import following
from flows.commands.stored import active_generations, active_lineage
from flows.config import Config, load_config
from flows.connections import store_text
from flows.engine import Member, Recovery, run
from flows.generations import moment_text
from flows.graph import Outputs
from flows.hooks import Hooks, together
from flows.input import InputSet, partition_opener
from flows.logs import log_outputs
from flows.metrics import Metrics, new_registry
from flows.metrics_server import serve_metrics
from flows.outputs import configured_outputs
from flows.plan import Plan, make_plan
from flows.recovery import holds_run
from flows.recovery_facts import check_references
from flows.recovery_note import NOTE, check_note, note_of, read_note
from flows.render.findings import Findings, read_findings
from flows.render.joining import joining_lines
from flows.render.labelled import LabelSummary, added, label_summary
from flows.render.progress import meter
from flows.render.summary import LaterReference, RunFiles, RunSummary, file_lines, summary_lines
from flows.render.words import count_text
from flows.workers.environment import TOGETHER
from flows.workers.references import notice
from state.generations import Generations
from state.halves import Side
from state.joined import Count, Joined


@dataclass(slots=True)
class Counts:
    """What went through this process."""

    rows: int = 0
    labels: int = 0
    late: int = 0
    late_labels: int = 0
    joined: list[int] = field(default_factory=lambda: [0] * len(Count))
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        if batch.side is Side.LABELS:
            self.labels += batch.rows
            self.late_labels += sum(batch.late.values())
        else:
            self.rows += batch.rows
            self.late += sum(batch.late.values())
        self.refused.update(str(letter.reason) for letter in batch.dead_letters)

    def add_joined(self, _shard: str, joined: Joined) -> None:
        """Count what a shard of the join tells."""
        self.joined = added(self.joined, joined)

    @property
    def of_labels(self) -> LabelSummary:
        """What became of labels."""
        return label_summary(self.labels, self.late_labels, self.joined)

    @property
    def note(self) -> str:
        """The counts in few words."""
        parts = [count_text(self.rows, "row")]
        parts += [count_text(self.labels, "label")] if self.labels else []
        late = self.late + self.late_labels
        parts += [f"{late:,} late"] if late else []
        parts += [f"{self.refused.total():,} refused"] if self.refused else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A run before it starts."""

    config: Config
    generations: Generations
    source: InputSet
    plan: Plan
    outputs: Outputs
    recovery: Recovery | None
    resumed: bool
    hooks: Hooks


def run_and_tell(asked: RunAsked, *, fail_on_drift: bool, json: bool) -> ExitCode:
    """Run to the end or to a signal, and print what was found."""
    try:
        prepared = prepare(asked)
    except Stopped:
        return ExitCode.DONE
    member = member_of(asked)
    if prepared.resumed:
        say(f"Going on with the run in {prepared.recovery.folder}." if prepared.recovery else "")
    if prepared.config.labels is not None and (member is None or member.process_id == 0):
        for line in joining_lines(prepared.config, prepared.generations, prepared.plan.widths[0]):
            say(line)
    counts = Counts()
    finished = run_with_progress(prepared, counts, member=member, overwrite=asked.overwrite)
    if member is not None and member.process_id > 0:
        say(f"Process {member.process_id} is done: {counts.note}. Process 0 tells what was found.")
        return ExitCode.DONE
    found = summarize(prepared, counts, finished=finished)
    if member is not None and len(member.addresses) > 1:
        # One process knows its own shards only, and part of a join looks like a whole one.
        found = replace(found, labels=None)
    if json:
        print_json(found)
    else:
        console = results()
        show(console, summary_lines(found, console.width))
        show(console, file_lines(found.files, sum(found.refused.values())))
    commands = following(
        asked,
        found.episodes,
        finished=finished,
        snapshots=prepared.recovery is not None,
        together=TOGETHER in os.environ,
    )
    show(messages(), commands_lines("Next:", commands))
    return ExitCode.DRIFT if fail_on_drift and found.episodes else ExitCode.DONE


def prepare(asked: RunAsked, *, watched: bool = True) -> Prepared:
    """Read the configuration and the active reference, and put the run together.

    Parameters
    ----------
    watched
        Whether this process does the work, and serves the metrics of it.

    Raises
    ------
    Stopped
        A signal came while a reference was waited for.
    ConfigError, DriftflowError
        As they come; nothing was written yet.
    """
    config = load_config(asked.config)
    hooks = _hooks(config, asked) if watched else Hooks()
    recovery = recovery_of(config, asked.recovery)
    input_anew = partial(open_input, config, asked, None, Hooks())
    # Health is asked of epochs: a process that waits for its reference is well.
    settle_reference(config, asked, recovery, input_anew, on_wait=hooks.on_epoch)
    generations = active_generations(config, str(asked.config))
    source = open_input(config, asked, recovery, hooks)
    fingerprint = config.state_fingerprint(generations.first.version)
    opener = partition_opener(config, source, fingerprint, wall_clock=_now_ms)
    plan = make_plan(config, generations, source.partitions, opener, live=source.endless)
    check_decoders(config, source, asked)
    outputs = configured_outputs(config, plan.model_key, os.environ, events=asked.events)
    if source.endless:
        # A stream without an end has no summary: its episodes are told as they come.
        hooks = together(hooks, Hooks(on_outputs=log_outputs))
    resumed = recovery is not None and not asked.overwrite and holds_run(recovery.folder)
    if resumed and recovery is not None:
        check_note(recovery.folder, read_note(recovery.folder / NOTE), note_of(plan), live=plan.live)
        check_references(recovery.folder, config, generations.lineage)
    return Prepared(
        config=config,
        generations=generations,
        source=source,
        plan=plan,
        outputs=outputs,
        recovery=recovery,
        resumed=resumed,
        hooks=hooks,
    )


def run_with_progress(
    prepared: Prepared, counts: Counts, *, member: Member | None = None, overwrite: bool = False
) -> bool:
    """Run, show how far it is, and return whether the input was read to its end."""
    source, console = prepared.source, messages()
    if member is not None and member.supervised:
        # Many members on one terminal: their log lines say enough.
        console = Console(quiet=True)
    with ExitStack() as stack:
        if source.live and (member is None or not member.supervised):
            look = partial(active_lineage, prepared.config, "CONFIG")
            stack.enter_context(notice(prepared.config, prepared.generations.lineage, look).running())
        progress = stack.enter_context(
            meter(console, "Watching", total=source.whole, unit=source.unit, clock=time.monotonic)
        )

        def on_batch(batch: Batch) -> None:
            counts.add(batch)
            known = batch.side is Side.PREDICTIONS or (source.labels and source.labels.unit == source.unit)
            progress.advance(batch.size if known else 0, counts.note)

        return run(
            prepared.plan,
            prepared.outputs,
            recovery=prepared.recovery,
            member=member,
            overwrite=overwrite,
            hooks=together(prepared.hooks, Hooks(on_batch=on_batch, on_joined=counts.add_joined)),
        )


def summarize(prepared: Prepared, counts: Counts, *, finished: bool) -> RunSummary:
    """Read the events back and put the summary together."""
    context = prepared.plan.context
    outputs = prepared.outputs
    beside = (outputs.performance, outputs.errors)
    logs = [outputs.events, *(log for log in beside if log is not None and log.exists())]
    found = (
        read_findings(*logs, model=context.model, model_version=context.model_version)
        if outputs.events.exists()
        else Findings(episodes=(), windows=())
    )
    return RunSummary(
        model=context.model,
        model_version=context.model_version,
        reference=prepared.generations.first.version,
        reference_rows=prepared.generations.first.provenance.rows,
        later_references=tuple(
            LaterReference(
                reference=reference.version,
                reference_rows=reference.provenance.rows,
                takes_over=moment_text(prepared.config, context.grid.start_of(pane)),
            )
            for reference, (pane, _) in zip(
                prepared.generations.references[1:], prepared.plan.schedule.later, strict=True
            )
        ),
        finished=finished,
        resumed=prepared.resumed,
        rows=counts.rows,
        late_rows=counts.late,
        labels=counts.of_labels if prepared.config.labels is not None else None,
        refused=dict(counts.refused.most_common()),
        features=context.features,
        windows=found.windows,
        episodes=found.episodes,
        performance=found.performance,
        violations=found.violations,
        files=RunFiles(
            events=shown(outputs.events),
            dead_letters=shown(outputs.dead_letters),
            late_rows=None if outputs.late_rows is None else shown(outputs.late_rows),
            performance=None if outputs.performance is None else shown(outputs.performance),
            errors=None if outputs.errors is None else shown(outputs.errors),
            store=_store_text(prepared.config),
            recovery=None if prepared.recovery is None else shown(prepared.recovery.folder),
        ),
    )


def _hooks(config: Config, asked: RunAsked) -> Hooks:
    """Serve metrics where they are asked for, and feed them."""
    if asked.metrics_port is None:
        return Hooks()
    metrics = Metrics(new_registry(), time.monotonic, model=config.file.model.name, grid=config.grid)
    server = serve_metrics(metrics, asked.metrics_port, asked.metrics_host)
    say(f"Metrics are at http://{asked.metrics_host}:{server.port}/metrics")
    return metrics.hooks


def _store_text(config: Config) -> str:
    return shown(config.store) if isinstance(config.store, Path) else store_text(config)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
