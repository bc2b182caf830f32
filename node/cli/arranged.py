"""Takes the résumés and job profiles of an export into a node, each once."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import msgspec

from node.cli.client import Api
from node.http.portfolio_schemas import EntryView, GivenEntry, GivenResume, ResumeView
from node.http.schemas import Page
from node.records.bundle import Arranged
from node.skills.profile import JobProfile, decode
from protocols.errors import BadInput

__all__ = ["take_profiles", "take_resumes"]


async def take_resumes(api: Api, arranged: Arranged, ids: Mapping[str, str]) -> int:
    """Keep the résumés of an export; how many are new.

    One that the node has is left, and one of the same title that is another gets the day of the export into its title.

    Args:
        ids: of the node's records, by their files in the export; entries of others are left out.

    Raises:
        BadInput: ``export.unreadable``; ``resume.*`` where one could not be shown.
    """
    known = {each.title: each for each in (await api.get("/admin/resumes", Page[ResumeView], limit=1000)).items}
    new = 0
    for stated in arranged.resumes:
        given = _given(stated, ids)
        titles = (given.title, f"{given.title} ({arranged.made})")
        title = next((each for each in titles if each not in known or _same(known[each], given)), None)
        if title is not None and title not in known:
            known[title] = await api.post("/admin/resumes", ResumeView, msgspec.structs.replace(given, title=title))
            new += 1
    return new


async def take_profiles(api: Api, arranged: Arranged) -> int:
    """Keep the job profiles of an export that the node has none of the same name for; how many these are.

    Raises:
        BadInput: ``profile.*``.
    """
    known = {each.name for each in (await api.get("/admin/job-profiles", Page[JobProfile])).items}
    new = [each for each in arranged.profiles if decode(each).name not in known]
    for document in new:
        await api.upload("/admin/job-profiles/file", JobProfile, io.BytesIO(document))
    return len(new)


def _given(stated: dict[str, Any], ids: Mapping[str, str]) -> GivenResume:
    try:
        entries = [{**each, "record": ids[each["record"]]} for each in stated["entries"] if each.get("record") in ids]
        return msgspec.convert({**stated, "entries": entries}, GivenResume)
    except (KeyError, TypeError, AttributeError, msgspec.ValidationError):
        message = "A résumé in the export cannot be read."
        raise BadInput("export.unreadable", message, "Make the export anew.") from None


def _same(known: ResumeView, given: GivenResume) -> bool:
    return known.text == given.text and [_entry(each) for each in known.entries] == list(given.entries)


def _entry(each: EntryView) -> GivenEntry:
    return GivenEntry(record=each.record_id, reveal=each.reveal, text=each.text)
