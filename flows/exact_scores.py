"""What a tool itself says of two inputs: its scores of their raw values, whose bins move with both sides."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import msgspec
import numpy as np

from detectors import tool_scores
from detectors.base import FloatArray, IntArray, Kind
from detectors.tool_scores import ToolScore
from flows.input import InputSet
from flows.preset_names import Preset
from flows.reference_parts import read_parts
from flows.sampling import CategoryCounts, NumericSample, row_hash
from state.columns import Column

_OfNumbers = Callable[[FloatArray, FloatArray], tuple[ToolScore, ...]]
_OfCategories = Callable[[IntArray, IntArray], tuple[ToolScore, ...]]


def _none(_before: IntArray, _now: IntArray) -> tuple[ToolScore, ...]:
    return ()


_TOOLS: Mapping[Preset, tuple[_OfNumbers, _OfCategories]] = MappingProxyType(
    {
        Preset.EVIDENTLY: (tool_scores.evidently_numbers, tool_scores.evidently_categories),
        Preset.NANNYML: (tool_scores.nannyml_numbers, tool_scores.nannyml_categories),
        Preset.ALIBI: (tool_scores.alibi_numbers, tool_scores.alibi_categories),
        Preset.SAGEMAKER: (tool_scores.deequ_numbers, tool_scores.deequ_categories),
        Preset.KS_CLASSIC: (tool_scores.frouros_numbers, tool_scores.frouros_categories),
        Preset.PSI_CLASSIC: (tool_scores.frouros_psi, _none),
    }
)


def has_tool(preset: Preset) -> bool:
    """Tell whether a preset is named for a tool's arithmetic."""
    return preset in _TOOLS


def exact_scores(
    preset: Preset,
    baseline: InputSet,
    current: InputSet,
    columns: Sequence[Column],
    on_read: Callable[[int], None],
) -> dict[str, tuple[ToolScore, ...]]:
    """Score columns as the tool of a preset does, by name.

    Both inputs are read once more. Of numbers all rows count up to 200,000 a side, beyond them a sample of at
    least half as many, chosen by the hash of the row's number: the same rows always. Categories are counted
    over all rows. A column gives none where a side has no value, or where the tool cannot bin its numbers.
    """
    sides = [_sampled(source, columns, on_read) for source in (baseline, current)]
    return {
        column.name: tuple(
            _of_family(score, preset, len(columns))
            for score in _scores(preset, *(side[column.name] for side in sides))
        )
        for column in columns
    }


_Sampled = dict[str, NumericSample | CategoryCounts]


def _sampled(source: InputSet, columns: Sequence[Column], on_read: Callable[[int], None]) -> _Sampled:
    found: _Sampled = {
        column.name: NumericSample() if column.kind is Kind.NUMERIC else CategoryCounts()
        for column in columns
    }
    for part in read_parts(source, None, on_read):
        hashes = row_hash(part.numbers)
        for name, sample in found.items():
            if isinstance(sample, NumericSample):
                sample.add(part.decoded.numeric[name], hashes)
            else:
                sample.add(part.decoded.categorical[name], hashes)
    return found


def _scores(
    preset: Preset,
    before: NumericSample | CategoryCounts,
    now: NumericSample | CategoryCounts,
) -> tuple[ToolScore, ...]:
    of_numbers, of_categories = _TOOLS[preset]
    if isinstance(before, CategoryCounts) and isinstance(now, CategoryCounts):
        names = sorted({*before.counts, *now.counts})
        first, second = (np.array([side.counts[name] for name in names]) for side in (before, now))
        return of_categories(first, second) if first.any() and second.any() else ()
    assert isinstance(before, NumericSample)
    assert isinstance(now, NumericSample)
    if not before.values.size or not now.values.size:
        return ()
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            found = of_numbers(before.values, now.values)
    except ValueError:
        # Numbers too far apart, or too close together, for bins: the tool fails there too.
        return ()
    return found if all(np.isfinite(score.value) for score in found) else ()


def _of_family(score: ToolScore, preset: Preset, columns: int) -> ToolScore:
    """Split the level of alibi-detect over all columns, as its correction by default does."""
    if preset is not Preset.ALIBI or score.limit is None:
        return score
    limit = score.limit / columns
    return msgspec.structs.replace(score, limit=limit, drifted=score.value < limit)
