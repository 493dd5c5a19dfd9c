"""Prints drift events from a topic, each one once: subscriber.py BROKERS TOPIC."""

import json
import sys

from kafka import KafkaConsumer  # type: ignore[import-untyped]  # carries no types

WANTED = (b".opened", b".closed", b".violated", b".resolved")
options = {"isolation_level": "read_committed", "auto_offset_reset": "earliest", "enable_auto_commit": False}
seen = set[bytes]()
for record in KafkaConsumer(sys.argv[2], bootstrap_servers=sys.argv[1], **options):
    headers = dict(record.headers)
    if headers.get("ce_type", b"").endswith(WANTED) and headers["ce_id"] not in seen:
        seen.add(headers["ce_id"])
        event = json.loads(record.value)
        sys.stdout.write(f"{event['type']} {event['subject']} {event['id']}\n")
        sys.stdout.flush()
