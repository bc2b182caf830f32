"""A PKCS#11 token in software (SoftHSM) for a run of the tests, with keys that are made in it."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

__all__ = ["MODULE", "PIN", "add_key", "new_token"]

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "471108"
_CURVES = {"p256": "06082a8648ce3d030107", "p384": "06052b81040022", "ed25519": "130c656477617264733235353139"}
_numbers = itertools.count()


def new_token(label: str | None = None) -> str:
    """A fresh token; its label."""
    pkcs11 = _library()
    label = label or f"token-{os.getpid()}-{next(_numbers)}"
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN]
    subprocess.run(command, check=True, capture_output=True)
    pkcs11.lib(str(MODULE)).reinitialize()
    return label


def add_key(token: str, label: str, kind: str) -> None:
    """Make a key pair in a token."""
    pkcs11 = _library()
    is_edwards = kind == "ed25519"
    opened = pkcs11.lib(str(MODULE)).get_token(token_label=token)
    try:
        session = opened.open(user_pin=PIN, rw=True)
    except pkcs11.exceptions.UserAlreadyLoggedIn:
        session = opened.open(rw=True)  # a node in this process did it
    with session:
        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC_EDWARDS if is_edwards else pkcs11.KeyType.EC,
            {pkcs11.Attribute.EC_PARAMS: bytes.fromhex(_CURVES[kind])},
            local=True,
        )
        generator = pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN if is_edwards else pkcs11.Mechanism.EC_KEY_PAIR_GEN
        parameters.generate_keypair(mechanism=generator, store=True, label=label)


def _library() -> Any:
    pkcs11 = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed: pip install 'lernode[pkcs11]'")
    if not MODULE.exists() or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not installed; scripts/test installs it where it may (Debian: softhsm2)")
    if "SOFTHSM2_CONF" not in os.environ:
        # The library reads it once in a process.
        folder = Path(tempfile.mkdtemp(prefix="lernode-softhsm-"))
        (folder / "tokens").mkdir()
        (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    return pkcs11
