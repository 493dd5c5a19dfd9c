"""What `alerts.retraining.command` starts: trains on the span that the request on standard input names."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import joblib
import numpy as np
from lender import DATA, Rows, new_model, write_served
from sklearn.model_selection import cross_val_predict

DRIFTFLOW = str(Path(sys.executable).with_name("driftflow"))


def main() -> None:
    """Train, freeze what the new model sees and does as the reference, and put the model in its place."""
    request = json.load(sys.stdin)
    done = DATA / f"retrained-{request['id']}.jsonl"
    if done.exists():
        sys.stdout.write(f"request {request['id']} was answered before\n")
        return
    span = request["data"]["span"]
    rows = served(datetime.fromisoformat(span["start"]), datetime.fromisoformat(span["end"]))
    model = new_model().fit(rows.features, rows.paid)
    # Each row is scored by a model that has not learnt from it.
    scores = cross_val_predict(new_model(), rows.features, rows.paid, cv=5, method="predict_proba")[:, 1]
    fresh = DATA / "retrained.jsonl"
    fresh.unlink(missing_ok=True)
    write_served(fresh, rows, scores, labels=None)
    built = driftflow("reference", "build", "driftflow.yaml", str(fresh), "--no-activate", "--json")
    version = json.loads(built)["version"]
    driftflow("reference", "activate", "driftflow.yaml", version, "--from", span["end"])
    joblib.dump(model, DATA / "model.joblib")
    # Last: who is killed before this line is asked again, and does it all again.
    fresh.rename(done)
    sys.stdout.write(f"trained on {len(rows.times)} rows since {span['start']}; reference {version}\n")


def served(start: datetime, end: datetime) -> Rows:
    """Read what was asked in a span, as far as it is known what became of it."""
    paid = {found["id"]: found["paid"] == "yes" for found in _lines("labels.jsonl", end)}
    found = [each for each in _lines("events.jsonl", end) if _time(each) >= start and each["id"] in paid]
    return Rows(
        times=[_time(each) for each in found],
        features=np.array([[each["income"], each["debt"], each["age"]] for each in found]),
        paid=np.array([paid[each["id"]] for each in found]),
    )


def driftflow(*arguments: str) -> str:
    """Run a command of driftflow, and return what it prints."""
    command = [DRIFTFLOW, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 - of this file


def _lines(name: str, end: datetime) -> list[dict[str, str]]:
    """Read the records of a file that were there at a moment."""
    with (DATA / name).open() as file:
        return [each for each in map(json.loads, file) if _time(each) < end]


def _time(record: dict[str, str]) -> datetime:
    return datetime.fromisoformat(record["ts"])


if __name__ == "__main__":
    main()
