"""What one store holds, put into another."""

from state.stores.base import Point, Store


def copy(source: Store, target: Store, model: str, version: str, features: tuple[str, ...]) -> None:
    """Copy all that is kept of a model version."""
    for info in source.references(model):
        target.put_reference(source.reference(model, info.version))
    for activation in source.activations(model, version):
        target.activate(model, version, activation)
    target.add_events(source.events(model))
    target.put_episodes(source.episodes(model))
    target.add_points(
        Point(key, time, value) for key in source.series_keys(model) for time, value in source.series(key)
    )
    for feature in features:
        target.put_panes(source.panes(model, version, feature))
