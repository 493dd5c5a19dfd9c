"""The order in which a model version is compared with one reference after another."""

from state.stores.base import Activation, StoreError


def extended(
    schedule: tuple[Activation, ...], activation: Activation, *, model: str, model_version: str
) -> tuple[Activation, ...]:
    """Return the schedule after an activation, oldest first.

    Raises
    ------
    StoreError
        The activation has a time, and there is none from the beginning or the last one is not before it.
    """
    start = activation.effective_from
    if start is None:
        return (activation,)
    if activation in schedule:
        return schedule
    name = f"version {model_version!r} of {model!r}: reference {activation.version!r} cannot begin at {start}"
    if not schedule:
        raise StoreError(f"{name}: nothing comes before it; first activate a reference without a start")
    last = schedule[-1]
    if last.effective_from is not None and start <= last.effective_from:
        raise StoreError(
            f"{name}: {last.version!r} begins at {last.effective_from}; choose a later start, or activate "
            "without one to replace them all"
        )
    return (*schedule, activation)
