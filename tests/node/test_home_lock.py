"""A node's folder is one process's at a time."""

from __future__ import annotations

import pytest

from node.app import Node
from protocols.errors import NotNow
from storage.secrets import WrappingKey
from tests.node.nodes import Nodes
from tests.opening import KEY


async def test_a_node_that_is_open_is_not_opened_again_until_it_stops(nodes: Nodes) -> None:
    node = await nodes.make("college")
    with pytest.raises(NotNow) as refused:
        await Node.open(node.home, KEY)
    assert refused.value.code == "node.in_use"
    await nodes.stop(node)
    await nodes.again(node)


async def test_a_wrong_key_leaves_the_folder_free(nodes: Nodes) -> None:
    node = await nodes.make("college")
    await nodes.stop(node)
    with pytest.raises(Exception, match="does not open this store"):
        await Node.open(node.home, WrappingKey(bytes(32)))
    await nodes.again(node)
