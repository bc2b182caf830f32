"""The Grafana dashboard asks for metrics that a node has, and every panel can be read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry

from node.runtime.metrics import Metrics
from scripts.reference.pages import ROOT

DASHBOARD: dict[str, Any] = json.loads((ROOT / "docker" / "grafana" / "lernode.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
METRIC = re.compile(r"\blernode_\w+")
LABEL = re.compile(r"by \(([^)]*)\)")
OF_PROMETHEUS = {"job", "instance"}


def _exposed(registry: CollectorRegistry) -> dict[str, set[str]]:
    """Each sample name that a node exposes, with the labels of its metric."""
    found: dict[str, set[str]] = {}
    for collector in list(registry._collector_to_names):
        labels = set(getattr(collector, "_labelnames", ()))
        # A collector of several metrics says of each which labels it has.
        described = {each.name: set(getattr(each, "_labelnames", ())) for each in collector.describe()}
        for name in registry._collector_to_names[collector]:
            found[name] = labels | described.get(name.removesuffix("_total"), set())
    return found


def _queries() -> Iterator[str]:
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"]
    yield from (variable["query"] for variable in DASHBOARD["templating"]["list"] if variable["type"] == "query")


def test_every_metric_that_it_names_is_one_of_the_node() -> None:
    exposed = _exposed(Metrics().registry)
    for query in _queries():
        names = METRIC.findall(query)
        assert names, query
        for name in names:
            assert name in exposed, query
            for labels in LABEL.findall(query):
                assert {label.strip() for label in labels.split(",")} <= exposed[name] | OF_PROMETHEUS, query


def test_a_counter_is_asked_for_its_rate_and_a_gauge_is_not() -> None:
    for query in _queries():
        for name in METRIC.findall(query):
            assert name.endswith("_total") == ("rate(" in query), query


def test_every_panel_has_a_title_a_unit_and_an_explanation() -> None:
    assert len(PANELS) >= 15
    for panel in PANELS:
        assert panel["title"] and panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert all(target["legendFormat"] for target in panel["targets"])
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)


def test_no_panel_lies_over_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_metric_of_the_node_is_on_it() -> None:
    named = {name for query in _queries() for name in METRIC.findall(query)}
    exposed = {name for name in _exposed(Metrics().registry) if not name.endswith("_created")}
    shown = {name.removesuffix("_total") for name in named}
    assert {name.removesuffix("_total") for name in exposed} <= shown


def test_every_metric_of_the_node_is_explained() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    exposed = {name for name in _exposed(Metrics().registry) if not name.endswith("_created")}
    assert [n for n in sorted(exposed) if f"`{n}`" not in text and f"`{n}_total`" not in text] == []
