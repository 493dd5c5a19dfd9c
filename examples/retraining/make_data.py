"""Trains the first model, writes how it answers when all is well, and serves the first ten days with it."""

import joblib
from lender import DATA, FIRST_DAYS, new_model, requests, serve, write_served


def main() -> None:
    """Write model, reference, events and labels to `data`; the same every time."""
    DATA.mkdir(exist_ok=True)
    for name in ("reference.jsonl", "events.jsonl", "labels.jsonl"):
        (DATA / name).unlink(missing_ok=True)
    past, kept = requests(-20, -10), requests(-10, 0)
    model = new_model().fit(past.features, past.paid)
    joblib.dump(model, DATA / "model.joblib")
    # Rows that the model has not learnt from: on its own it would look better than it is.
    write_served(DATA / "reference.jsonl", kept, model.predict_proba(kept.features)[:, 1], labels=None)
    serve(0, FIRST_DAYS)


if __name__ == "__main__":
    main()
