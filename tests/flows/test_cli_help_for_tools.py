"""What editors and shells are told: the schema of the configuration, and completion."""

import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.command_line import Call, caller

ROOT = Path(__file__).parents[2]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def schema_errors(call: Call, document: object) -> list[str]:
    schema = call("config", "schema").json()
    jsonschema.Draft202012Validator.check_schema(schema)
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


@pytest.mark.parametrize("path", [ROOT / "driftflow.example.yaml", *ROOT.glob("examples/*/driftflow.yaml")])
def test_the_schema_takes_what_is_shipped(call: Call, path: Path) -> None:
    assert schema_errors(call, yaml.safe_load(path.read_text())) == []


def test_the_schema_marks_unknown_keys_and_wrong_values(call: Call) -> None:
    document = yaml.safe_load((ROOT / "examples/elec2/driftflow.yaml").read_text())
    document["model"]["nam"] = "x"
    document["detection"] = {"rule": "guess"}
    told = " ".join(schema_errors(call, document))
    assert "'nam'" in told
    assert "'guess'" in told


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_lines(call: Call, shell: str) -> None:
    outcome = call("completion", shell)
    assert outcome.code == 0
    assert "_DRIFTFLOW_COMPLETE" in outcome.out


def test_bash_completes_commands(call: Call, tmp_path: Path) -> None:
    (tmp_path / "lines.sh").write_text(call("completion", "bash").out)
    asked = (
        f". {tmp_path}/lines.sh; COMP_WORDS=(driftflow do); COMP_CWORD=1; _driftflow_completion driftflow; "
        'echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["/bin/bash", "-c", asked],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["doctor"]
