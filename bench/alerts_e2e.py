"""What people get of a stream that drifts: mails, webhooks and records of a topic, beside the events behind.

The demo stream is written to a topic at an even pace. One process watches it, one alerts, by mail to an SMTP
server, by webhook to a web service and to a topic, all on this machine. The messages are saved as they came,
the pictures of mails as PNG.

Needs a Kafka and a Redis: eval "$(scripts/services env)" after scripts/services up.
"""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bench.live import PARTITIONS, Place, Stage, servers_from_environment, stop
from bench.measure import say, show
from flows.scenarios.base import ScenarioOptions
from tests.alerts.receivers import Post, Web, mail_service, web_service

SEED = 11
SETTLED_S = 45.0
"""Longer than the cooldown and a turn: after this nothing more is to come."""
CAP = 1_000
"""Weeks of the stream pass in minutes, so the default of 20 an hour would hold messages back."""

_ALERTS = """
alerts:
  channels:
    mail:
      type: email
      host: 127.0.0.1
      port: {port}
      security: none
      sender: drift@example.org
      recipients: [oncall@example.org]
      cap_per_hour: {cap}
    hook: {{type: webhook, url_env: DRIFTFLOW_BENCH_HOOK, cap_per_hour: {cap}}}
    stream: {{type: kafka, topic: {topic}, cap_per_hour: {cap}}}
  routes:
    - {{name: all, channels: [mail, hook, stream], group_wait: 3s, cooldown: 30s}}
"""


def main() -> None:
    """Run, save, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where messages are saved; default: a new one")
    parser.add_argument("--quick", action="store_true", help="half a minute instead of three")
    given = parser.parse_args()
    folder = given.folder or Path(mkdtemp(prefix="driftflow-alerts-"))
    folder.mkdir(parents=True, exist_ok=True)
    seconds, rows = (30.0, 30_000) if given.quick else (180.0, 100_000)
    work = folder / "run"
    work.mkdir(exist_ok=True)
    stage = Stage(
        folder=work,
        name=f"alerts-{int(time.time())}",
        servers=servers_from_environment(),
        options=ScenarioOptions(rows=rows, seed=SEED, reference_rows=20_000),
    )
    with web_service() as web, mail_service() as post:
        os.environ["DRIFTFLOW_BENCH_HOOK"] = web.url
        place, topic = _watched(stage, post, seconds)
        records = [json.loads(record) for record in stage.events(topic)]
        events = [json.loads(event) for event in stage.events(place.topic)]
        _save(folder, web, post, records)
        stage.forget(place)
        _compare(events, web, post, records, folder)


def _watched(stage: Stage, post: Post, seconds: float) -> tuple[Place, str]:
    """Watch and alert while the stream is written, and until all is told; return the run and the topic."""
    stage.create_topic(stage.name, partitions=PARTITIONS)
    place, topic = stage.place("run", 3), f"{stage.name}-told"
    stage.create_topic(topic, partitions=1)
    with place.config.open("a") as config:
        config.write(_ALERTS.format(port=post.port, topic=topic, cap=CAP))
    run, alert = stage.start(place), stage.driftflow("alert", str(place.config))
    with stage.producing(seconds):
        pass
    stop(run)
    stage.finish(place)
    time.sleep(SETTLED_S)
    if alert.poll() is not None:
        raise SystemExit(f"alerting ended with {alert.returncode}:\n{stage.log.read_text()[-3000:]}")
    stop(alert)
    return place, topic


def _save(folder: Path, web: Web, post: Post, records: list[Any]) -> None:
    for number, message in enumerate(post.seen, 1):
        (folder / f"mail-{number:02d}.eml").write_bytes(message.as_bytes())
        (folder / f"mail-{number:02d}.txt").write_text(_mail_text(message))
        for picture in (part for part in message.walk() if part.get_content_type() == "image/png"):
            content = picture.get_payload(decode=True)
            assert isinstance(content, bytes)
            (folder / f"mail-{number:02d}.png").write_bytes(content)
    for number, request in enumerate(web.seen, 1):
        (folder / f"hook-{number:02d}.json").write_text(json.dumps(request.json(), indent=2))
    (folder / "topic.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))


def _mail_text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    return f"{message['Subject']}\n\n{body.get_content() if body is not None else ''}"


def _episodes(events: list[Any]) -> Iterator[tuple[str, str]]:
    """Give the type of each event that is about an episode, and which."""
    for event in events:
        if "episode" in event["data"]:
            yield event["type"].removeprefix("io.driftflow."), event["data"]["episode"]["id"]


def _compare(events: list[Any], web: Web, post: Post, records: list[Any], folder: Path) -> None:
    hooks = [request.json() for request in web.seen]
    told = {"webhook": [_told(each) for each in hooks], "topic": [_told(each) for each in records]}
    found = list(_episodes(events))
    ended = {episode for kind, episode in found if kind.endswith((".closed", ".resolved", ".recovered"))}
    opened = {episode for _, episode in found}
    named = {name: {episode for _, names in messages for episode in names} for name, messages in told.items()}
    causes = {name: Counter(cause for cause, _ in messages) for name, messages in told.items()}
    rows = [
        ("events of the run", f"{len(events):,}"),
        ("of which on episodes", f"{len(found):,}: {_counted(Counter(kind for kind, _ in found))}"),
        ("episodes", f"{len(opened):,}, {len(opened - ended):,} open at the end"),
        ("mails", f"{len(post.seen)}"),
        ("webhooks", f"{len(hooks)}: {_counted(causes['webhook'])}"),
        ("records of the topic", f"{len(records)}: {_counted(causes['topic'])}"),
        ("episodes told", f"{len(named['webhook'])}"),
        ("saved in", str(folder)),
    ]
    show("Messages beside the events behind them", ("what", "figure"), rows)
    ids = [[each["id"] for each in hooks], [each["id"] for each in records]]
    ids.append([str(message["X-Driftflow-Notice"]) for message in post.seen])
    faults = [
        what
        for what, wrong in (
            ("a message came twice", any(len(set(each)) != len(each) for each in ids)),
            ("channels were told different things", sorted(told["webhook"]) != sorted(told["topic"])),
            ("there are not as many mails as webhooks", len(post.seen) != len(hooks)),
            ("an episode that is open was not told", bool((opened - ended) - named["webhook"])),
            ("nothing was told", not hooks),
        )
        if wrong
    ]
    if faults:
        say(f"NOT as promised: {'; '.join(faults)}")
        raise SystemExit(1)


def _told(message: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the cause of a message, and the episodes it names."""
    return message["type"].rpartition(".")[2], sorted(each["episode"] for each in message["data"]["signals"])


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


if __name__ == "__main__":
    main()
