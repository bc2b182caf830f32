"""A plugin for ACA-Py: JSON-LD contexts from the file that ``LERNODE_CONTEXTS`` names, so that none is fetched.

It runs in ACA-Py's own environment, where nothing of lernode is installed.
"""

import json
import os
from pathlib import Path
from typing import Any

from acapy_agent.vc.ld_proofs.document_downloader import StaticCacheJsonLdDownloader

_known = json.loads(Path(os.environ["LERNODE_CONTEXTS"]).read_text(encoding="utf-8"))
_init = StaticCacheJsonLdDownloader.__init__


def _init_with_contexts(self: Any, *args: Any, **kwargs: Any) -> None:
    _init(self, *args, **kwargs)
    for url, context in _known.items():
        answer = {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": json.dumps(context),
        }
        self.cache[url] = self.document_parser.parse(answer, None)


StaticCacheJsonLdDownloader.__init__ = _init_with_contexts


async def setup(_context: object) -> None:
    """What ACA-Py calls; the import has done all there is to do."""
