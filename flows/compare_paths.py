"""Two files to be compared: which of their columns, by what limits, and the outcome as a document."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from detectors.tool_scores import ToolScore
from detectors.verdicts import Rules
from flows.commands.usage import UsageError
from flows.compare_columns import ComparedColumn, Standards, standards_of
from flows.compare_files import ComparedInput, Comparison, compare_inputs
from flows.config import Config, load_config
from flows.exact_scores import exact_scores, has_tool
from flows.field_samples import Sample, sample_fields
from flows.infer import Inferred, InferredColumn, LeftOut, infer_columns
from flows.input import InputSet, file_input
from flows.preset_names import Preset
from flows.sections.detection import DetectionConfig, preset_detection
from flows.sections.quality import QualityConfig
from state.columns import Column, Role
from state.derived import Derivation


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareAsked:
    """What is asked for; None: as the configuration or the defaults say.

    Attributes
    ----------
    preset
        Stands in the place of the configuration's whole section `detection`.
    """

    baseline: Path
    current: Path
    config: Path | None = None
    preset: Preset | None = None
    columns: tuple[str, ...] | None = None
    min_effect: float | None = None
    fdr: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """Columns as each side decodes them, in the same order, and what is left out.

    Attributes
    ----------
    fields
        What is read besides, for the derived columns.
    """

    baseline: tuple[Column, ...]
    current: tuple[Column, ...]
    left_out: tuple[LeftOut, ...]
    missing: tuple[str, ...]
    fields: tuple[Column, ...] = ()
    derivations: tuple[Derivation, ...] = ()

    def read(self, side: tuple[Column, ...]) -> tuple[Column, ...]:
        """Return the fields that are read of one side's records."""
        names = {column.name for column in side}
        compared = tuple(column for column in side if column.formula is None or column.transform)
        return (*compared, *(field for field in self.fields if field.name not in names))


class CompareDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``compare --json`` prints."""

    drifted: bool
    baseline: ComparedInput
    current: ComparedInput
    rules: Rules
    columns: tuple[ComparedColumn, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedComparison:
    """A comparison of which everything is known but the outcome.

    Attributes
    ----------
    total
        Bytes there are to read.
    left_out
        Columns that are not compared, each with the reason.
    run
        Compares; told whom to tell how many bytes each batch read.
    """

    total: int
    left_out: tuple[LeftOut, ...]
    run: Callable[[Callable[[int], None]], Comparison]


def prepare(asked: CompareAsked) -> PreparedComparison:
    """Find the columns of two files.

    Raises
    ------
    UsageError
        A column that is named is none of them, or there is none to compare.
    SourceError
        A file cannot be read.
    ConfigError
        A score that decides does not measure one of the columns.
    """
    config = None if asked.config is None else load_config(asked.config)
    samples = (sample_fields(asked.baseline), sample_fields(asked.current))
    chosen = _configured(config, samples) if config else _inferred(samples)
    chosen = _picked(chosen, asked.columns)
    if not chosen.baseline:
        said = "; ".join(f"{item.name}: {item.reason}" for item in chosen.left_out[:5])
        raise UsageError(f"there is no column to compare ({said or 'the files are empty'})")
    standards = _standards(asked, config, chosen.baseline)
    baseline = _source(asked.baseline, config, chosen.baseline, chosen)
    current = _source(asked.current, config, chosen.current, chosen)

    tool = asked.preset if asked.preset is not None and has_tool(asked.preset) else None

    def run(on_read: Callable[[int], None]) -> Comparison:
        found = compare_inputs(baseline, current, chosen.baseline, standards, on_read=on_read)
        if tool is None:
            return found
        return _with_scores(found, exact_scores(tool, baseline, current, chosen.baseline, on_read))

    # The baseline is read twice, for the bins and for the counts; both once more for the tool's own scores.
    total = 2 * baseline.total + current.total + (baseline.total + current.total if tool else 0)
    return PreparedComparison(total=total, left_out=chosen.left_out, run=run)


def _with_scores(found: Comparison, scores: Mapping[str, tuple[ToolScore, ...]]) -> Comparison:
    columns = (msgspec.structs.replace(column, tool_scores=scores[column.column]) for column in found.columns)
    return msgspec.structs.replace(found, columns=tuple(columns))


def _standards(asked: CompareAsked, config: Config | None, columns: tuple[Column, ...]) -> Standards:
    detection = DetectionConfig() if config is None else config.file.detection
    if asked.preset is not None:
        detection = preset_detection(asked.preset)
    standards = standards_of(detection, QualityConfig() if config is None else config.file.quality, columns)
    rules = standards.rules
    if asked.min_effect is not None:
        rules = replace(rules, min_effect=asked.min_effect)
    if asked.fdr is not None:
        rules = replace(rules, false_discovery_rate=asked.fdr)
    return replace(standards, rules=rules)


def document_of(found: Comparison, left_out: tuple[LeftOut, ...]) -> CompareDocument:
    """Write a comparison as programs read it."""
    return CompareDocument(
        drifted=found.drifted,
        baseline=found.baseline,
        current=found.current,
        rules=found.rules,
        columns=found.columns,
        left_out=left_out,
    )


def _source(path: Path, config: Config | None, side: tuple[Column, ...], chosen: _Chosen) -> InputSet:
    fields, missing = chosen.read(side), chosen.missing
    if config is None:
        return file_input(path, columns=fields, time=None, missing=missing)
    return file_input(
        path,
        columns=fields,
        time=None,
        max_record_bytes=config.file.input.max_record_bytes,
        missing=missing,
        derived=chosen.derivations,
    )


def _inferred(samples: tuple[Sample, Sample]) -> _Chosen:
    inferred: Inferred = infer_columns(samples)
    return _Chosen(
        baseline=tuple(_column(column, 0) for column in inferred.columns),
        current=tuple(_column(column, 1) for column in inferred.columns),
        left_out=(*_one_sided(samples), *inferred.left_out),
        missing=inferred.missing,
    )


def _column(found: InferredColumn, side: int) -> Column:
    return Column(name=found.name, path=found.paths[side], kind=found.kind, role=Role.FEATURE)


def _one_sided(samples: tuple[Sample, Sample]) -> list[LeftOut]:
    before, now = samples
    gone = [
        LeftOut(name=name, reason="only in the baseline") for name in before.fields if name not in now.fields
    ]
    new = [
        LeftOut(name=name, reason="only in the current") for name in now.fields if name not in before.fields
    ]
    return [*gone, *new]


def _configured(config: Config, samples: tuple[Sample, Sample]) -> _Chosen:
    """Take the configured columns that both files have."""
    paths = [{field.path for field in sample.fields.values()} for sample in samples]
    fields, left_out = [], []
    for field in config.fields:
        absent = [
            side
            for side, known in zip(("baseline", "current"), paths, strict=True)
            if not _stands(field.read.path, known)
        ]
        if absent and field.role.watched:
            left_out.append(LeftOut(name=field.name, reason=f"not in the {' and '.join(absent)}"))
        if not absent:
            fields.append(field)
    names = {field.name for field in fields}
    derivations = tuple(each for each in config.derivations if names.issuperset(each.sources))
    for derivation in (each for each in config.derivations if each not in derivations):
        reason = f"derived from {', '.join(name for name in derivation.sources if name not in names)}"
        left_out += [
            LeftOut(name=column.name, reason=reason) for column in derivation.columns if column.watched
        ]
    made = (column for derivation in derivations for column in derivation.columns)
    kept = tuple(column for column in (*fields, *made) if column.watched)
    return _Chosen(
        baseline=kept,
        current=kept,
        left_out=tuple(left_out),
        missing=config.file.input.missing,
        fields=tuple(fields),
        derivations=derivations,
    )


def _stands(path: str, known: set[str]) -> bool:
    """Tell whether a path was seen, or may be the place of an element of what was."""
    above, _, place = path.rpartition(".")
    return path in known or (place.isdigit() and above in known)


def _picked(chosen: _Chosen, names: tuple[str, ...] | None) -> _Chosen:
    """Keep the columns that are asked for, by name or path.

    Raises
    ------
    UsageError
        A name is none of them.
    """
    if names is None:
        return chosen
    places = {column.read.path: place for place, column in enumerate(chosen.baseline)}
    places |= {column.name: place for place, column in enumerate(chosen.baseline)}
    reasons = {item.name: item.reason for item in chosen.left_out}
    for name in names:
        if name not in places:
            why = f" ({reasons[name]})" if name in reasons else ""
            known = ", ".join(column.name for column in chosen.baseline)
            raise UsageError(f"--columns: cannot compare {name!r}{why}, wanted some of {known}")
    kept = sorted({places[name] for name in names})
    return replace(
        chosen,
        baseline=tuple(chosen.baseline[place] for place in kept),
        current=tuple(chosen.current[place] for place in kept),
        left_out=(),
    )
