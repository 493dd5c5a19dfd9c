"""Chooses the decoder for a format."""

from collections.abc import Sequence
from typing import assert_never

from flows.decode.base import Decoder
from flows.decode.csv_decoder import CsvDecoder
from flows.decode.derive import DerivingDecoder
from flows.decode.json_decoder import JsonDecoder
from flows.decode.transform import TransformingDecoder
from flows.sources.formats import FileFormat
from state.columns import Column, TimeColumn
from state.derived import Derivation


def make_decoder(
    format: FileFormat,  # noqa: A002  the configuration's own word
    columns: Sequence[Column],
    time: TimeColumn | None,
    header: Sequence[str] = (),
    *,
    missing: Sequence[str] = ("",),
    derived: Sequence[Derivation] = (),
) -> Decoder:
    """Return the decoder for one partition.

    Parameters
    ----------
    header
        Field names of a CSV file (`FileReader.header`); not looked at for JSONL.
    missing
        Texts of a CSV file that mean a missing value.
    derived
        What is computed of the columns.

    Raises
    ------
    DecodeSetupError
        The columns cannot be read from this input.
    """
    decoder: Decoder
    fields = [column.read for column in columns]
    match format:
        case FileFormat.JSONL | FileFormat.PARQUET | FileFormat.ARROW:
            decoder = JsonDecoder(fields, time)
        case FileFormat.CSV:
            decoder = CsvDecoder(fields, time, header, missing)
        case _:
            assert_never(format)
    transforms = {column.name: column.transform for column in columns if column.transform is not None}
    if transforms:
        decoder = TransformingDecoder(decoder, transforms)
    return DerivingDecoder(decoder, tuple(derived)) if derived else decoder
