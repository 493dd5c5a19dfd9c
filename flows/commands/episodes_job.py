"""Lists the episodes that the store keeps."""

from pathlib import Path

from flows.commands.console import results, say, show
from flows.commands.document import print_json
from flows.commands.stored import open_store
from flows.config import load_config
from flows.render.episodes import episode_lines, shown_episode
from state.stores.episodes import StoredEpisode


def list_episodes(path: Path, *, only_open: bool, feature: str | None, json: bool) -> None:
    """List the episodes of the configured model version, the one that opened last first."""
    config = load_config(path)
    model = config.file.model
    found: list[StoredEpisode] = []
    # Looking must not leave an empty store behind.
    if not isinstance(config.store, Path) or config.store.exists():
        with open_store(config) as store:
            found = store.episodes(
                model.name, model_version=model.version, feature=feature, open_only=only_open
            )
    episodes = [shown_episode(episode, config.grid.axis) for episode in reversed(found)]
    if json:
        print_json(episodes)
    elif episodes:
        console = results()
        show(console, episode_lines(episodes, console.width))
    else:
        which = "open episode" if only_open else "episode"
        say(f"no {which} of {model.name}/{model.version}" + (f" in {feature!r}" if feature else ""))
