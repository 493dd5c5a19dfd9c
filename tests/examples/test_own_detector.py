"""The example of a detector of one's own, installed beside driftflow: its tests pass, and it measures."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own_detector"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example's package, as pip installs it."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copytree(EXAMPLE, folder / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    command += ["--no-build-isolation", "--target", str(folder / "site"), str(folder / "source")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "site"


def _run(site: Path, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_tests_pass(site: Path) -> None:
    done = _run(
        site,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", EXAMPLE),
        *("--import-mode=importlib", EXAMPLE / "tests"),
        cwd=site,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_it_measures_where_it_is_configured(site: Path, tmp_path: Path) -> None:
    driftflow = ("-c", "import sys; from flows.cli import main; main()")
    generated = _run(
        site, *driftflow, *("generate", "demo", "--out", tmp_path, "--rows", 3_000), cwd=tmp_path
    )
    assert generated.returncode == 0, generated.stderr
    config = tmp_path / "driftflow.yaml"
    config.write_text(config.read_text() + "\ndetection: {detectors: [kuiper]}\n")
    for command in (("reference", "build", config, tmp_path / "reference.jsonl"), ("run", config)):
        done = _run(site, *driftflow, *command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    methods = {
        reading["method"]
        for event in events
        for feature in event["data"].get("features", ())
        for reading in feature["readings"]
        if feature["kind"] == "numeric"
    }
    assert methods == {"ks", "chi2", "psi", "mean_shift", "kuiper"}
