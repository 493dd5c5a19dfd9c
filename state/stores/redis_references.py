"""References in Redis, and from when on each model version is compared with them."""

from hashlib import sha256

import msgspec

from state.stores.base import Activation, ReferenceInfo, StoredReference, StoreError
from state.stores.checks import checked_activation, checked_reference, no_such_reference
from state.stores.redis_keys import RedisKeys
from state.stores.redis_scripts import PUT_REFERENCE, REPLACE_FIELD
from state.stores.redis_server import RedisServer
from state.stores.schedules import extended


class RedisReferences:
    """The part of a `state.stores.redis.RedisStore` that keeps references."""

    _server: RedisServer
    _keys: RedisKeys

    def put_reference(self, reference: StoredReference) -> None:
        """Store it; storing the same version again changes nothing."""
        checked = checked_reference(reference)
        model, version = checked.info.model, checked.info.version
        info = msgspec.json.encode(checked.info)
        # First, and by itself: it is in another slot, and a model without versions is no harm.
        self._server.run("SADD", self._keys.models, model)
        keys = (self._keys.reference(model, version), self._keys.references(model))
        content = (version, info, checked.body, _digest(info, checked.body))
        self._server.run("EVAL", PUT_REFERENCE, len(keys), *keys, *content)

    def reference(self, model: str, version: str) -> StoredReference:
        """Return one version.

        Raises
        ------
        NotFoundError
            There is no such model or version.
        StoreError
            Its content is gone, or is not what was stored.
        """
        key = self._keys.reference(model, version)
        # In this order: a version that is listed is there.
        listed, (info, body, digest) = self._server.run_all(
            [("HEXISTS", self._keys.references(model), version), ("HMGET", key, "info", "body", "sha256")]
        )
        if None in (info, body, digest):
            if not listed:
                raise no_such_reference(model, version, self.references())
            raise StoreError(
                f"store {self._server}: {key!r} is listed, but its content is gone: build the reference "
                "again, and set maxmemory-policy to noeviction"
            )
        if digest.decode(errors="replace") != _digest(info, body):
            raise StoreError(
                f"store {self._server}: {key!r} does not match its sha256: something else wrote to it; "
                "delete the key and build the reference again"
            )
        return StoredReference(info=msgspec.json.decode(info, type=ReferenceInfo), body=body)

    def references(self, model: str | None = None) -> list[ReferenceInfo]:
        """Return what is there, oldest first."""
        if model is None:
            models = sorted(name.decode() for name in self._server.run("SMEMBERS", self._keys.models))
        else:
            models = [model]
        listed = self._server.run_all([("HVALS", self._keys.references(name)) for name in models])
        infos = [msgspec.json.decode(info, type=ReferenceInfo) for values in listed for info in values]
        return sorted(infos, key=lambda info: (info.created_ms, info.model, info.version))

    def activate(self, model: str, model_version: str, activation: Activation) -> None:
        """Compare a model version with a stored reference from a time on."""
        checked = checked_activation(model, model_version, activation)
        if not self._server.run("EXISTS", self._keys.reference(model, checked.version)):
            raise no_such_reference(model, checked.version, self.references())
        replaced = False
        while not replaced:
            own, schedule = self._schedule(model, model_version)
            wanted = extended(schedule, checked, model=model, model_version=model_version)
            # Refused, and tried again, where another process was faster.
            replaced = self._server.run(
                *("EVAL", REPLACE_FIELD, 1, self._keys.activations(model)),
                *(model_version, own, msgspec.json.encode(wanted)),
            )

    def activations(self, model: str, model_version: str) -> tuple[Activation, ...]:
        """Return what a model version is compared with, oldest first."""
        _, schedule = self._schedule(model, model_version)
        return schedule

    def activated_versions(self, model: str) -> list[str]:
        """Return the model versions with activations of their own, sorted."""
        return sorted(name.decode() for name in self._server.run("HKEYS", self._keys.activations(model)))

    def _schedule(self, model: str, model_version: str) -> tuple[bytes, tuple[Activation, ...]]:
        """Return the bytes that a model version has of its own, and what it is compared with."""
        own, old = self._server.run_all(
            [("HGET", self._keys.activations(model), model_version), ("GET", self._keys.active(model))]
        )
        if own is not None:
            return own, msgspec.json.decode(own, type=tuple[Activation, ...])
        return b"", () if old is None else (Activation(version=old.decode(), effective_from=None),)


def _digest(info: bytes, body: bytes) -> str:
    return sha256(info + body).hexdigest()
