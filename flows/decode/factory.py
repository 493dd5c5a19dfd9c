"""Chooses the decoder for a format."""

from collections.abc import Sequence
from typing import assert_never

from flows.decode.base import Decoder
from flows.decode.csv_decoder import CsvDecoder
from flows.decode.json_decoder import JsonDecoder
from flows.sources.files import FileFormat
from state.columns import Column, TimeColumn


def make_decoder(
    format: FileFormat,  # noqa: A002  the configuration's own word
    columns: Sequence[Column],
    time: TimeColumn | None,
    header: Sequence[str] = (),
    *,
    missing: Sequence[str] = ("",),
) -> Decoder:
    """Return the decoder for one partition.

    Parameters
    ----------
    header
        Field names of a CSV file (`FileReader.header`); not looked at for JSONL.
    missing
        Texts of a CSV file that mean a missing value.

    Raises
    ------
    DecodeSetupError
        The columns cannot be read from this input.
    """
    match format:
        case FileFormat.JSONL:
            return JsonDecoder(columns, time)
        case FileFormat.CSV:
            return CsvDecoder(columns, time, header, missing)
        case _:
            assert_never(format)
