"""Badges that are pictures: records put into the image of their achievement, or into one that a person gives."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

from node.net.guarded_http import GuardedHttp
from node.records.baking import bake
from node.records.intake import MAX_FILE_BYTES
from protocols.credentials.enveloped import data_url_of
from protocols.credentials.model import as_list, id_of, subjects
from protocols.credentials.reading import stated
from protocols.errors import BadInput

__all__ = ["Badges"]

_IMAGES = "image/png, image/svg+xml"


class Badges:
    """Bakes records into pictures."""

    def __init__(self, http: GuardedHttp) -> None:
        self._http = http

    async def bake(self, document: bytes, image: bytes | None) -> bytes:
        """A picture with the record in it (Open Badges 3.0 §5.3).

        Args:
            document: JSON, or the text of a JWT.
            image: PNG or SVG; None for the image that the record, or its achievement, says is its own.

        Raises:
            BadInput: ``badge.*``; ``net.*`` where its image cannot be fetched.
            NotNow: ``net.*``.
        """
        picture = await self._own_image(document) if image is None else image
        if len(picture) > MAX_FILE_BYTES:
            raise BadInput("badge.too_large", f"The image has over {MAX_FILE_BYTES >> 20} MiB.", "Take a smaller one.")
        return await asyncio.to_thread(bake, picture, document)

    async def _own_image(self, document: bytes) -> bytes:
        place = next(_images(stated(document)), None)
        if place is None:
            raise BadInput("badge.no_image", "The record has no image of its own.", "Give one: PNG or SVG.")
        if place.startswith("data:"):
            return _data_of(place)
        response = await self._http.get(place, max_bytes=MAX_FILE_BYTES, accept=_IMAGES)
        if response.status != 200:
            raise BadInput("badge.no_image", "The record's image is not where it says.", "Give one: PNG or SVG.")
        return response.body


def _images(document: dict[str, Any]) -> Iterator[str]:
    achievements = [each for subject in subjects(document) for each in as_list(subject.get("achievement"))]
    for thing in (document, *(each for each in achievements if isinstance(each, dict))):
        found = id_of(thing.get("image"))
        if found is not None:
            yield found


def _data_of(url: str) -> bytes:
    found = data_url_of({"id": url})
    try:
        if found is not None and ";base64," in url[:256]:
            return base64.b64decode(found[1], validate=True)
    except ValueError:
        pass
    raise BadInput("badge.no_image", "The record's image cannot be read.", "Give one: PNG or SVG.")
