"""Prints drift events from a topic, each one once: subscriber.py BROKERS TOPIC."""

import json
import sys

from kafka import KafkaConsumer  # type: ignore[import-untyped]  # carries no types

WANTED = {b"io.driftflow.drift.opened", b"io.driftflow.drift.closed"}
options = {"isolation_level": "read_committed", "auto_offset_reset": "earliest", "enable_auto_commit": False}
seen = set[bytes]()
for record in KafkaConsumer(sys.argv[2], bootstrap_servers=sys.argv[1], **options):
    headers = dict(record.headers)
    if headers.get("ce_type") in WANTED and headers["ce_id"] not in seen:
        seen.add(headers["ce_id"])
        event = json.loads(record.value)
        sys.stdout.write(f"{event['type']} {event['subject']} {event['id']}\n")
        sys.stdout.flush()
