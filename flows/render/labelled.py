"""What became of labels and the predictions that they were joined to, in a run."""

from collections.abc import Sequence

import msgspec

from flows.render.words import count_text
from state.joined import Count, Joined


class LabelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Labels and predictions by what became of them, as far as one process has joined them.

    Attributes
    ----------
    rows
        Labels on time, with an id or without.
    late
        Labels that came too late.
    predictions
        First predictions of an id; each is labelled, unlabelled, forgotten or still waiting.
    orphans
        Labels whose prediction did not come in time.
    repeated
        Predictions and labels whose id stood before.
    without_id
        Predictions and labels without an id.
    """

    rows: int
    late: int
    predictions: int
    labelled: int
    unlabelled: int
    forgotten: int
    orphans: int
    repeated: int
    without_id: int

    @property
    def waiting(self) -> int:
        """Predictions that wait for a label."""
        return self.predictions - self.labelled - self.unlabelled - self.forgotten


def label_summary(rows: int, late: int, sums: Sequence[int]) -> LabelSummary:
    """Put the summary together from labels that were read, and from the sums of what shards have told."""
    return LabelSummary(
        rows=rows,
        late=late,
        predictions=sums[Count.PREDICTIONS],
        labelled=sums[Count.LABELLED],
        unlabelled=sums[Count.UNLABELLED],
        forgotten=sums[Count.FORGOTTEN],
        orphans=sums[Count.ORPHANS],
        repeated=sums[Count.REPEATED_PREDICTIONS] + sums[Count.REPEATED_LABELS],
        without_id=sums[Count.PREDICTIONS_WITHOUT_ID] + sums[Count.LABELS_WITHOUT_ID],
    )


def added(sums: Sequence[int], joined: Joined) -> list[int]:
    """Add what a shard has told to the sums of each of `Count`."""
    return [sum(column) for column in zip(sums, *(numbers for *_, numbers in joined.counts), strict=True)]


def label_line(found: LabelSummary) -> str:
    """Say it in one sentence; what did not happen is left out."""
    rest = [
        (found.unlabelled, "never"),
        (found.forgotten, "forgotten"),
        (found.waiting, "still waiting"),
    ]
    told = f"{count_text(found.rows, 'label')}, {found.late:,} late: "
    told += f"{found.labelled:,} of {count_text(found.predictions, 'prediction')} labelled"
    told += "".join(f", {count:,} {word}" for count, word in rest if count)
    more = [count_text(found.orphans, "orphan")] if found.orphans else []
    more += [f"{found.repeated:,} repeated"] if found.repeated else []
    more += [f"{found.without_id:,} without an id"] if found.without_id else []
    spare = ", ".join(more)
    return f"{told}; {spare}" if spare else told
