"""The admin socket: private, found again, free of what a killed node left behind."""

from __future__ import annotations

import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from node.http.admin_socket import admin_socket_path, is_answered, open_admin_socket
from protocols.errors import WrongState


@pytest.fixture
async def runner() -> AsyncIterator[web.AppRunner]:
    runner = web.AppRunner(web.Application(), shutdown_timeout=0.1)
    await runner.setup()
    yield runner
    await runner.cleanup()


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("h")


async def test_only_its_own_user_can_open_it(runner: web.AppRunner, home: Path) -> None:
    opened = await open_admin_socket(runner, home)
    assert stat.S_IMODE(opened.path.stat().st_mode) == 0o600
    assert is_answered(admin_socket_path(home))
    await opened.close()
    assert not is_answered(admin_socket_path(home))


async def test_in_a_long_folder_it_stands_elsewhere_and_is_found(runner: web.AppRunner, home: Path) -> None:
    deep = home / ("x" * 120)
    deep.mkdir()
    opened = await open_admin_socket(runner, deep)
    assert opened.path.parent != deep
    assert stat.S_IMODE(opened.path.parent.stat().st_mode) == 0o700
    assert admin_socket_path(deep) == opened.path
    assert is_answered(admin_socket_path(deep))
    await opened.close()
    assert not opened.path.parent.exists()
    assert list(deep.iterdir()) == []


async def test_what_a_killed_node_left_is_replaced(runner: web.AppRunner, home: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(home / "admin.sock"))
    left.close()
    assert not is_answered(admin_socket_path(home))
    opened = await open_admin_socket(runner, home)
    assert is_answered(admin_socket_path(home))
    await opened.close()


async def test_a_second_process_is_refused_and_the_first_stays(runner: web.AppRunner, home: Path) -> None:
    opened = await open_admin_socket(runner, home)
    with pytest.raises(WrongState) as refused:
        await open_admin_socket(runner, home)
    assert refused.value.code == "node.running"
    assert is_answered(admin_socket_path(home))
    await opened.close()
