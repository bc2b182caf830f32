"""The compose file says what it is meant to, its load balancer's configuration is valid, what it asks for is made."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

from scripts.topology.servers import Missing, haproxy

DOCKER = Path(__file__).resolve().parents[2] / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
REPLICAS = ("issuer-1", "issuer-2", "issuer-3")
LINT = "extends: default\nrules: {line-length: {max: 120}, document-start: disable}"


def sources(service: dict[str, Any], kind: str) -> set[str]:
    return {each if isinstance(each, str) else each["source"] for each in service.get(kind, [])}


def test_the_file_is_tidy_yaml() -> None:
    text = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    assert [str(problem) for problem in linter.run(text, YamlLintConfig(LINT))] == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_writes_nowhere_else_and_can_do_nothing_more(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port["host_ip"] for port in service.get("ports", [])), "no port is open to all by oversight"


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_refers_to_is_there(name: str) -> None:
    service = SERVICES[name]
    for kind in ("secrets", "configs"):
        assert sources(service, kind) <= COMPOSE[kind].keys()
    assert set(service["networks"]) <= COMPOSE["networks"].keys()
    assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= COMPOSE["volumes"].keys()
    assert set(service.get("depends_on", {})) <= SERVICES.keys()


def test_replicas_differ_in_nothing_but_their_folder() -> None:
    first, *others = (SERVICES[name] for name in REPLICAS)
    for other, name in zip(others, REPLICAS[1:], strict=True):
        home = {"LERNODE_HOME": f"/var/lib/lernode/{name}"}
        assert other == {**first, "environment": first["environment"] | home}


def test_only_the_issuer_reaches_the_database_and_only_the_balancer_is_reached() -> None:
    assert {name for name, service in SERVICES.items() if "store" in service["networks"]} == {
        "database",
        "issuer-init",
        *REPLICAS,
    }
    assert COMPOSE["networks"]["store"]["internal"] is True
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["balancer"]


def test_no_secret_stands_in_the_environment() -> None:
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            assert not re.search("PASSW|PASSPHRASE|TOKEN|_KEY", key) or str(value).startswith("/run/secrets/")


def test_the_image_runs_as_an_unprivileged_user_with_a_health_check_and_a_list_of_what_it_holds() -> None:
    final = (DOCKER / "Dockerfile").read_text(encoding="utf-8").rpartition("\nFROM ")[2]
    assert "\nUSER 10001\n" in final
    assert "\nHEALTHCHECK " in final
    assert "pip install" not in final
    assert "cyclonedx-py environment" in (DOCKER / "Dockerfile").read_text(encoding="utf-8")


def test_the_balancer_takes_its_configuration_with_what_is_prepared_and_what_the_file_says(tmp_path: Path) -> None:
    try:
        program = haproxy()
    except Missing as missing:
        pytest.skip(f"{missing}; scripts/servers installs it where it may")
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (Debian: openssl)")
    folder = tmp_path / "secrets"
    subprocess.run([DOCKER / "prepare", folder], check=True)
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    files = [secret["file"] for secret in COMPOSE["secrets"].values() if "$" not in secret["file"]]
    assert {Path(file).name for file in files} < made.keys()
    subprocess.run([DOCKER / "prepare", folder], check=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == made, "what is there is kept"
    certificates, authorities = folder / "certificates.pem", folder / "authorities.pem"
    subprocess.run(["openssl", "verify", "-CAfile", authorities, certificates], check=True, stdout=subprocess.DEVNULL)
    given = {
        name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))
        for name, value in SERVICES["balancer"]["environment"].items()
    }
    assert given.keys() == set(re.findall(r"\$\{(\w+)\}", (DOCKER / "haproxy.cfg").read_text(encoding="utf-8")))
    # Names of containers are known to Docker's name server only.
    given |= {name: "127.0.0.1:8000" for name, value in given.items() if value.endswith(":8000")}
    given |= {"CERTIFICATES": str(certificates)}
    check = [program, "-c", "-f", str(DOCKER / "haproxy.cfg")]
    checked = subprocess.run(check, env={**os.environ, **given}, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
