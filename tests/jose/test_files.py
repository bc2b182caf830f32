"""A person checks a file of any format with one command, and sees what its signature covers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.cli.main import cli
from protocols.credentials.issue import Issued, issue
from tests.credentials.worlds import CREATED, ISSUER, record

CLAIMS = {"vct": "https://college.example/types/transcript", "name": "Ada"}
DOCUMENTS = {
    "eddsa-jcs-2022": issue(record(), "eddsa-jcs-2022", ISSUER, created=CREATED),
    "vc+jwt": issue(record(), "vc+jwt", ISSUER, created=CREATED),
    "vc+sd-jwt": issue(
        record(), "vc+sd-jwt", ISSUER, created=CREATED, selective_pointers=["/name"], entropy=os.urandom
    ),
    "dc+sd-jwt": issue(CLAIMS, "dc+sd-jwt", ISSUER, created=CREATED, selective_pointers=["/name"], entropy=os.urandom),
}


@pytest.mark.parametrize(("securing", "made"), DOCUMENTS.items())
@pytest.mark.parametrize("form", ["bare", "enveloped"])
def test_a_file_is_verified_and_shown(tmp_path: Path, securing: str, made: Issued, form: str) -> None:
    file = tmp_path / "record"
    file.write_bytes(made.data if form == "bare" else json.dumps(made.embeddable).encode())
    options = ["verify", str(file), "--any-issuer", "--offline", "--home", str(tmp_path)]
    told = CliRunner().invoke(cli, [*options, "--show", "--json"])
    assert told.exit_code == 0, told.output
    said = json.loads(told.stdout)
    assert (said["verified"], said["securing"]) == (True, securing)
    assert (CLAIMS if securing == "dc+sd-jwt" else {"name": record()["name"]}).items() <= said["document"].items()
    assert json.loads(CliRunner().invoke(cli, [*options, "--json"]).stdout)["document"] is None
    shown = CliRunner().invoke(cli, [*options, "--show"])
    assert f"secured by {securing}" in shown.stdout
    assert "What the credential says:" in shown.stdout


def test_what_is_not_verified_is_shown_as_unproved(tmp_path: Path) -> None:
    file = tmp_path / "record.jwt"
    header, payload, signature = DOCUMENTS["vc+jwt"].data.decode().split(".")
    file.write_text(f"{header}.{payload}.{'A' * len(signature)}")
    told = CliRunner().invoke(
        cli, ["verify", str(file), "--any-issuer", "--offline", "--show", "--home", str(tmp_path)]
    )
    assert told.exit_code == 1
    assert "NOT VERIFIED" in told.stdout
    assert "What the credential says, unproved:" in told.stdout
