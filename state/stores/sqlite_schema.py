"""The tables of an SQLite file of ours, version by version."""

APPLICATION_ID = int.from_bytes(b"DFLO", "big")
"""Marks the file as ours in `PRAGMA application_id`, so that no other program's database is written to."""

_FIRST = (
    """
    CREATE TABLE reference (
        model TEXT NOT NULL, version TEXT NOT NULL, created_ms INTEGER NOT NULL, rows INTEGER NOT NULL,
        start_ms INTEGER, end_ms INTEGER, source TEXT NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (model, version)
    ) STRICT
    """,
    "CREATE TABLE active_reference (model TEXT PRIMARY KEY, version TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """
    CREATE TABLE event (
        position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, model TEXT NOT NULL,
        model_version TEXT NOT NULL, "window" TEXT NOT NULL, feature TEXT, episode TEXT,
        "end" INTEGER NOT NULL, body BLOB NOT NULL
    ) STRICT
    """,
    'CREATE INDEX event_by_end ON event (model, "end", position)',
    """
    CREATE TABLE series (
        id INTEGER PRIMARY KEY, model TEXT NOT NULL, model_version TEXT NOT NULL, "window" TEXT NOT NULL,
        feature TEXT NOT NULL, segment TEXT NOT NULL, metric TEXT NOT NULL,
        UNIQUE (model, model_version, "window", feature, segment, metric)
    ) STRICT
    """,
    """
    CREATE TABLE point (
        series INTEGER NOT NULL, time INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (series, time)
    ) STRICT, WITHOUT ROWID
    """,
)

# `active_reference` is read where a model version has no activation of its own.
_ACTIVATIONS = (
    """
    CREATE TABLE activation (
        model TEXT NOT NULL, model_version TEXT NOT NULL, position INTEGER NOT NULL, version TEXT NOT NULL,
        effective_from INTEGER, PRIMARY KEY (model, model_version, position)
    ) STRICT, WITHOUT ROWID
    """,
)

_PANES = (
    """
    CREATE TABLE pane (
        position INTEGER PRIMARY KEY, model TEXT NOT NULL, model_version TEXT NOT NULL, feature TEXT NOT NULL,
        start INTEGER NOT NULL, reference TEXT NOT NULL, "end" INTEGER NOT NULL, body BLOB NOT NULL,
        UNIQUE (model, model_version, feature, start, reference)
    ) STRICT
    """,
)

_EPISODES = (
    """
    CREATE TABLE episode (
        model TEXT NOT NULL, opened INTEGER NOT NULL, id TEXT NOT NULL, model_version TEXT NOT NULL,
        "window" TEXT NOT NULL, feature TEXT NOT NULL, reference TEXT NOT NULL, since INTEGER NOT NULL,
        updated INTEGER NOT NULL, is_open INTEGER NOT NULL, severity TEXT NOT NULL, peak REAL NOT NULL,
        windows INTEGER NOT NULL, PRIMARY KEY (model, id)
    ) STRICT
    """,
    "CREATE INDEX episode_by_opening ON episode (model, opened, id)",
)

_AGES = (
    'CREATE INDEX event_by_version ON event (model, model_version, "end")',
    "CREATE INDEX episode_by_age ON episode (model, model_version, is_open, updated)",
)

_CHECKS = (
    "ALTER TABLE episode ADD COLUMN family TEXT NOT NULL DEFAULT 'drift'",
    """ALTER TABLE episode ADD COLUMN "check" TEXT NOT NULL DEFAULT ''""",
)

_ALERTS = (
    """
    CREATE TABLE alert_claim (
        model TEXT PRIMARY KEY, owner TEXT NOT NULL, until_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE alert_progress (
        model TEXT PRIMARY KEY, revision INTEGER NOT NULL, body BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE notice (
        position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, model TEXT NOT NULL,
        channel TEXT NOT NULL, decided_ms INTEGER NOT NULL, body BLOB NOT NULL, delivery TEXT NOT NULL,
        attempts INTEGER NOT NULL, next_ms INTEGER NOT NULL, settled_ms INTEGER, reason TEXT NOT NULL,
        UNIQUE (model, id)
    ) STRICT
    """,
    "CREATE INDEX notice_by_time ON notice (model, decided_ms, position)",
    "CREATE INDEX notice_by_delivery ON notice (model, delivery, decided_ms, position)",
    """
    CREATE TABLE acknowledgement (
        model TEXT NOT NULL, episode TEXT NOT NULL, "by" TEXT NOT NULL, at_ms INTEGER NOT NULL,
        note TEXT NOT NULL, PRIMARY KEY (model, episode)
    ) STRICT, WITHOUT ROWID
    """,
)

LAYOUTS = (_FIRST, _ACTIVATIONS, _PANES, _EPISODES, _AGES, _CHECKS, _ALERTS)
"""What makes each version out of the one before; the first starts from an empty file."""

SCHEMA_VERSION = len(LAYOUTS)
"""Version of the present layout, kept in `PRAGMA user_version`."""
