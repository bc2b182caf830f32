"""The pages for people in a real browser: nothing that axe-core finds against WCAG 2.2 AA, and room on a phone."""

from __future__ import annotations

import asyncio
import html
import json
import re
import shutil
import subprocess
import tarfile
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from node.roles.portfolio import NewStatement
from node.skills.page import skill_page
from storage.resumes import Entry, Resume
from tests.node.nodes import SKILL, Nodes
from tests.node.profiles import WELDER, alignment, hold, skill_record

AXE = "axe-core@4.14.1"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
RUN = """<script>
axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then((found) => {
  const said = {violations: found.violations.map((each) => each.id + ": " + each.nodes[0].html), passes:
    found.passes.length, wide: document.documentElement.scrollWidth > window.innerWidth};
  document.documentElement.setAttribute("data-found", JSON.stringify(said));
});
</script>"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, from npm."""
    if CHROMIUM is None or shutil.which("npm") is None:
        pytest.skip("needs chromium and npm")
    folder = tmp_path_factory.mktemp("axe")
    packed = subprocess.run(["npm", "pack", "--silent", AXE], cwd=folder, capture_output=True, timeout=120, check=False)
    if packed.returncode:
        pytest.skip("axe-core cannot be had from npm")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        source = archive.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()


async def found_in(page: str, axe: str, folder: Path) -> dict[str, object]:
    """What axe-core says of a page on a narrow screen; the page's own policy lets no script run, so it is taken out."""
    assert CHROMIUM is not None
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    file = folder / "page.html"
    file.write_text(page.replace("</main>", f"</main><script>{axe}</script>{RUN}"), encoding="utf-8")
    browser = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
        "--window-size=500,900", "--virtual-time-budget=20000", "--dump-dom", file.as_uri(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    written, _ = await asyncio.wait_for(browser.communicate(), 200)
    said = re.search(r'data-found="([^"]*)"', written.decode())
    assert said is not None
    found: dict[str, object] = json.loads(html.unescape(said[1]))
    return found


async def test_the_page_of_skills_is_for_everybody(nodes: Nodes, axe: str, tmp_path: Path) -> None:
    learner = await nodes.make("learner")
    await hold(learner, skill_record(1, WELDER), skill_record(2, alignment("قراءة", targetCode="R"), year=2019))
    found = await found_in(
        skill_page(await learner.skill_profile.skills(), "Lena", learner.world.clock()), axe, tmp_path
    )
    assert found["violations"] == []
    assert found["passes"]
    assert found["wide"] is False


async def test_the_page_of_a_resume_is_for_everybody(nodes: Nodes, axe: str, tmp_path: Path) -> None:
    learner = await nodes.make("learner")
    record = await learner.portfolio.state(NewStatement(name="Crane", text="I rebuilt it.", skills=[SKILL]))
    entries = (Entry(record_id=record.id, text="شرح"),)
    resume = Resume(id="r", title="Welding", text="Ten years.", entries=entries, updated=learner.world.clock())
    _, token = await learner.portfolio.share(await learner.portfolio.save(resume), timedelta(days=1))
    async with (
        aiohttp.ClientSession(headers={"Accept": "text/html"}) as session,
        session.get(f"{learner.config.node.endpoint}/r/{token}") as response,
    ):
        page = await response.text()
    found = await found_in(page, axe, tmp_path)
    assert found["violations"] == []
    assert found["passes"]
    assert found["wide"] is False
