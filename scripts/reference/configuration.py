"""docs/configuration.md, from the one typed configuration."""

from __future__ import annotations

import re
from typing import Any, get_type_hints

import msgspec

from node.config import CONFIG_FILE, ENV_PREFIX, Config, describe
from scripts.reference.markdown import NOTICE, code, table

__all__ = ["page"]

_INTRODUCTION = f"""# Configuration

{NOTICE}

A node's folder (`~/.lernode`, or what `--home` or the environment variable `LERNODE_HOME` names) holds `{CONFIG_FILE}`.
`lernode init` writes it with every key explained; a key that starts with `#` is at its default. A running node reads it
when it starts, so restart the node after a change. An unknown key or a wrong value stops the node with
`config.malformed` and the name of the key.

An environment variable overrides the file: `{ENV_PREFIX}SECTION_KEY`, for example `{ENV_PREFIX}NODE_LISTEN_PORT=8100`.
Lists are written with commas between their items, tables as `name=value,name=value`.

The passphrase stands in no configuration. It comes from `--passphrase-file FILE`, from the environment variable
`LERNODE_PASSPHRASE`, or from the person at the terminal. The bearer token of the admin port comes from the file that
`admin.token_file` names, or from `LERNODE_ADMIN_TOKEN`.
"""


def page() -> str:
    """The page."""
    lines = [_INTRODUCTION]
    hints = get_type_hints(Config)
    for section in dict.fromkeys(name for name, *_ in describe()):
        lines += [f"## [{section}]", "", _first_sentences(hints[section].__doc__), ""]
        rows = [
            (code(key), code(_value(default)), description, code(f"{ENV_PREFIX}{section}_{key}".upper()))
            for name, key, description, default in describe()
            if name == section
        ]
        lines += [*table(("key", "default", "what it is", "environment"), rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _first_sentences(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _value(default: Any) -> str:
    if isinstance(default, dict):
        return "{}" if not default else ", ".join(f"{name} = {_value(value)}" for name, value in default.items())
    return msgspec.json.encode(default).decode()
