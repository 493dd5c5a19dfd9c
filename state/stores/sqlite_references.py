"""References in one SQLite file, and from when on each model version is compared with them."""

from dataclasses import fields
from operator import attrgetter
from typing import Any

from state.stores.base import Activation, ReferenceInfo, StoredReference
from state.stores.checks import checked_activation, checked_reference, no_such_reference
from state.stores.schedules import extended
from state.stores.sqlite_file import SqliteFile

_INFO_FIELDS = tuple(field.name for field in fields(ReferenceInfo))
_info_row = attrgetter(*_INFO_FIELDS)

_PUT_REFERENCE = (
    "INSERT INTO reference VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model, version) DO NOTHING"
)
_GET_REFERENCE = """
    SELECT model, version, created_ms, rows, start_ms, end_ms, source, body FROM reference
    WHERE model = ? AND version = ?
"""
_LIST_REFERENCES = """
    SELECT model, version, created_ms, rows, start_ms, end_ms, source FROM reference
    WHERE :model IS NULL OR model = :model ORDER BY created_ms, model, version
"""
_LIST_ACTIVATIONS = """
    SELECT version, effective_from FROM activation WHERE model = ? AND model_version = ? ORDER BY position
"""
_DROP_ACTIVATIONS = "DELETE FROM activation WHERE model = ? AND model_version = ?"
_ADD_ACTIVATION = "INSERT INTO activation VALUES (?, ?, ?, ?, ?)"


class SqliteReferences:
    """The part of a `state.stores.sqlite.SqliteStore` that keeps references."""

    _file: SqliteFile

    def put_reference(self, reference: StoredReference) -> None:
        """Store it; storing the same version again changes nothing."""
        checked = checked_reference(reference)
        with self._file.transaction():
            self._file.connection.execute(_PUT_REFERENCE, (*_info_row(checked.info), checked.body))

    def reference(self, model: str, version: str) -> StoredReference:
        """Return one version."""
        with self._file.errors():
            row = self._file.connection.execute(_GET_REFERENCE, (model, version)).fetchone()
        if row is None:
            raise no_such_reference(model, version, self.references())
        return StoredReference(info=_info(row[:-1]), body=row[-1])

    def references(self, model: str | None = None) -> list[ReferenceInfo]:
        """Return what is there, oldest first."""
        with self._file.errors():
            return [_info(row) for row in self._file.connection.execute(_LIST_REFERENCES, {"model": model})]

    def activate(self, model: str, model_version: str, activation: Activation) -> None:
        """Compare a model version with a stored reference from a time on."""
        checked = checked_activation(model, model_version, activation)
        with self._file.transaction():
            self.reference(model, checked.version)
            schedule = self.activations(model, model_version)
            wanted = extended(schedule, checked, model=model, model_version=model_version)
            self._file.connection.execute(_DROP_ACTIVATIONS, (model, model_version))
            self._file.connection.executemany(
                _ADD_ACTIVATION,
                [
                    (model, model_version, position, entry.version, entry.effective_from)
                    for position, entry in enumerate(wanted)
                ],
            )

    def activations(self, model: str, model_version: str) -> tuple[Activation, ...]:
        """Return what a model version is compared with, oldest first."""
        with self._file.errors():
            rows = self._file.connection.execute(_LIST_ACTIVATIONS, (model, model_version)).fetchall()
            if not rows:
                # One for all versions of the model: what tables of version 1 held.
                old = "SELECT version, NULL FROM active_reference WHERE model = ?"
                rows = self._file.connection.execute(old, (model,)).fetchall()
        return tuple(Activation(version=version, effective_from=start) for version, start in rows)

    def activated_versions(self, model: str) -> list[str]:
        """Return the model versions with activations of their own, sorted."""
        with self._file.errors():
            rows = self._file.connection.execute(
                "SELECT DISTINCT model_version FROM activation WHERE model = ? ORDER BY model_version",
                (model,),
            )
            return [str(model_version) for (model_version,) in rows]


def _info(row: tuple[Any, ...]) -> ReferenceInfo:
    return ReferenceInfo(**dict(zip(_INFO_FIELDS, row, strict=True)))
