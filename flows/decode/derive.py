"""Adds derived columns to what a decoder reads: the stream, references and comparisons all get them here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flows.decode.base import Decoded, Decoder
from state.derived import Derivation


@dataclass(frozen=True, slots=True)
class DerivingDecoder:
    """Decodes by another decoder, then derives; implements `flows.decode.base.Decoder`."""

    decoder: Decoder
    derivations: tuple[Derivation, ...]

    def decode(self, records: Sequence[bytes]) -> Decoded:
        """Decode one batch of any size."""
        decoded = self.decoder.decode(records)
        numeric, categorical = dict(decoded.numeric), dict(decoded.categorical)
        for derivation in self.derivations:
            made = derivation.derive(decoded.numeric, decoded.categorical)
            numeric |= made.numeric
            categorical |= made.categorical
        return replace(decoded, numeric=numeric, categorical=categorical)

    def fields(self, record: bytes) -> tuple[str, ...]:
        """Name all fields of a good record; derived columns are none."""
        return self.decoder.fields(record)
