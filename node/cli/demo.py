"""``lernode demo``: three nodes, one record, the whole way; everything by the commands' own API, nothing staged."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from node.cli.demo_nodes import DemoNode, start_nodes, stop_nodes
from node.cli.output import check_name, emit_json, line, mark
from node.http import schemas as s
from protocols import strict_json
from protocols.errors import NotNow, WrongState

__all__ = ["demo"]

_ACHIEVEMENT = "weld-101"
_SKILL = "51-4121.00"
_WAIT_SECONDS = 30.0
_BASE_PORT = 8701
T = TypeVar("T")


@dataclass
class _Story:
    """What happened, for a person as it happens and for machines at the end."""

    quiet: bool
    nodes: list[DemoNode]
    steps: list[dict[str, Any]] = field(default_factory=list)

    async def step(self, title: str, does: Callable[[], Awaitable[str]]) -> None:
        """Do one step; then say what was sent, how long it took and how big it was."""
        self._say("")
        self._say(f"{len(self.steps) + 1}. {title}", bold=True)
        started = time.perf_counter()
        outcome = await does()
        seconds = time.perf_counter() - started
        deliveries = [delivery for node in self.nodes for delivery in node.new_deliveries()]
        messages = sorted(deliveries, key=lambda delivery: delivery["at"])
        for message in messages:
            self._say(f"   → {message['from']} sent {message['type']}: {message['bytes']:,} bytes, encrypted")
        self._say(f"   {outcome}  ({seconds * 1000:.0f} ms)")
        self.steps.append({"title": title, "outcome": outcome, "seconds": round(seconds, 4), "messages": messages})

    def checks(self, result: s.ResultView) -> None:
        """Every check of a presentation and of the records in it, by name."""
        for part, indent in [(result, "   "), *((inner, "     ") for inner in result.credentials)]:
            self._say(f"{indent}{part.kind}")
            for check in part.checks:
                sign, colour = mark(check.outcome)
                self._say(f"{indent}  {sign} {check_name(check.check)} {check.reason}", style=colour)

    def expect(self, holds: bool, what: str) -> None:
        """Stop the demo where something that should hold does not.

        Raises:
            WrongState: ``demo.failed``.
        """
        if not holds:
            raise WrongState("demo.failed", f"This should hold, but does not: {what}.", "Look at the nodes' logs.")

    def _say(self, text: str, *, style: str | None = None, bold: bool = False) -> None:
        if not self.quiet:
            line(text, style=style, bold=bold)


@click.command(short_help="Show the whole way of a record, between three nodes.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="Where the three nodes keep their stores.",
)
@click.option("--port", type=click.IntRange(1024, 65533), default=_BASE_PORT, show_default=True, help="First of three.")
@click.option("--again", is_flag=True, help="Remove what an earlier demo left in the folder.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def demo(folder: Path, port: int, again: bool, as_json: bool) -> None:
    """Start a college, a learner and an employer as three real nodes on this machine, and follow one record.

    The college offers a welding certificate, the learner accepts it, the employer asks for proof of the skill and
    checks it; then the college revokes it, and the employer checks again. Every step is a real message between real
    processes. The exit code is 0 only when everything that should hold held.

    \b
    Examples:
      lernode demo
      lernode demo --folder /tmp/my-demo --json

    Afterwards, look around with the commands that the demo prints.
    """
    _prepare(folder, again=again)
    report = asyncio.run(_run(folder, port, as_json))
    if as_json:
        emit_json(strict_json.dumps(report))


def _prepare(folder: Path, *, again: bool) -> None:
    if folder.exists() and any(folder.iterdir()):
        mine = (folder / "passphrase").is_file()
        if not (again and mine):
            hint = "Repeat with --again to remove it." if mine else "Choose another --folder."
            raise WrongState("demo.exists", f"The folder {folder} is not empty.", hint)
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(secrets.token_urlsafe(18) + "\n", encoding="utf-8")


async def _run(folder: Path, port: int, as_json: bool) -> dict[str, Any]:
    college, learner, employer = nodes = [
        DemoNode("college", "Riverside Community College", folder, port, issuer=True),
        DemoNode("learner", "Lena, a learner", folder, port + 1),
        DemoNode("employer", "Steelworks, an employer", folder, port + 2, trust=f"did:web:localhost%3A{port}"),
    ]
    story = _Story(as_json, nodes)
    try:
        began = time.perf_counter()
        await story.step("Three nodes start, each with its own store, keys and port", lambda: start_nodes(nodes))
        ready = time.perf_counter()
        await _Journey(story, college, learner, employer).go()
        seconds = time.perf_counter() - ready
    finally:
        await stop_nodes(nodes)
    if not as_json:
        _goodbye(folder, seconds)
    return {
        "ok": True,
        "folder": str(folder),
        "startSeconds": round(ready - began, 3),
        "exchangeSeconds": round(seconds, 3),
        "steps": story.steps,
    }


@dataclass
class _Journey:
    """One record's way; each method is a step, and says how it ended."""

    story: _Story
    college: DemoNode
    learner: DemoNode
    employer: DemoNode
    at_college: str = ""
    at_employer: str = ""
    offered: str = ""
    asked: str = ""

    async def go(self) -> None:
        """All steps, in order."""
        for title, does in (
            ("The college invites, the learner accepts: an encrypted connection", self.meet_college),
            ("The employer invites, the learner accepts", self.meet_employer),
            ("The college offers a record", self.offer),
            ("The learner accepts; the college issues", self.accept),
            ("The employer asks for proof of a skill", self.ask),
            ("The learner consents and presents", self.present),
            ("The employer checks", self.check),
            ("The college revokes the record", self.revoke),
            ("The employer checks again, later", self.check_again),
        ):
            await self.story.step(title, does)

    async def meet_college(self) -> str:
        """Connect college and learner."""
        self.at_college = await _connect(self.college, self.learner)
        return "The college and the learner know each other's keys; nobody else does."

    async def meet_employer(self) -> str:
        """Connect employer and learner."""
        self.at_employer = await _connect(self.employer, self.learner)
        return "So do the employer and the learner, under other keys."

    async def offer(self) -> str:
        """Offer the record, and see what the learner sees."""
        award = s.AwardOverConnection(connection=self.at_college, achievement=_ACHIEVEMENT)
        offered = await self.college.api.post("/admin/credentials/offers", s.ExchangeView, award)
        self.offered = offered.id
        waiting = await _waiting(self.learner, "accept-offer")
        if not waiting.about:
            raise WrongState("demo.failed", "The learner cannot see what is offered.", "Look at the nodes' logs.")
        skills = ", ".join(f"{skill.name} ({skill.code})" for skill in waiting.about[0].skills)
        return f"The learner sees “{waiting.about[0].name}”, for: {skills}."

    async def accept(self) -> str:
        """Accept; wait until it is issued, verified and stored."""
        waiting = await _waiting(self.learner, "accept-offer")
        await self.learner.api.post(f"/admin/exchanges/{waiting.id}/accept", s.ExchangeDetail)
        mine = await _until(self.learner, waiting.id, "done", "abandoned")
        theirs = await _until(self.college, self.offered, "done", "abandoned")
        self.story.expect(mine.state == theirs.state == "done", "the record is issued and stored")
        records = await self.learner.api.get("/admin/records", s.Page[s.HeldView])
        self.story.expect(len(records.items) == 1, "the learner holds exactly one record")
        return "The college signed it; the learner's node verified and stored it."

    async def ask(self) -> str:
        """Ask for proof, and see what the learner is told."""
        request = s.NewRequest(
            connection=self.at_employer,
            skills=[_SKILL],
            name="Proof of welding skill",
            purpose="We hire for work on structural steel.",
        )
        asked = await self.employer.api.post("/admin/presentations/requests", s.ExchangeView, request)
        self.asked = asked.id
        waiting = await _waiting(self.learner, "share-records")
        matches = await self.learner.api.get(f"/admin/exchanges/{waiting.id}/matches", s.MatchesView)
        self.story.expect(matches.satisfiable, "a record of the learner matches")
        return f"The learner sees who asks, why (“{matches.purpose}”), and which record answers."

    async def present(self) -> str:
        """Consent and present."""
        waiting = await _waiting(self.learner, "share-records")
        await self.learner.api.post(f"/admin/exchanges/{waiting.id}/present", s.ExchangeDetail, s.Present())
        seen = await _until(self.employer, self.asked, "done", "abandoned")
        await _until(self.learner, waiting.id, "done", "abandoned")
        self.story.expect(seen.state == "done", "the employer accepts the presentation")
        return "The learner agreed; this one record left the learner's node, signed for this request only."

    async def check(self) -> str:
        """Look at what the employer found."""
        path = f"/admin/exchanges/{self.asked}/verification"
        verification = await self.employer.api.get(path, s.VerificationView)
        self.story.checks(verification.result)
        self.story.expect(verification.verified, "the presentation verifies")
        return "Verified: every check that the employer requires passed."

    async def revoke(self) -> str:
        """Revoke the one record that was issued; the learner's node hears of it and looks itself."""
        issued = await self.college.api.get("/admin/issued", s.Page[s.IssuedView])
        self.story.expect(len(issued.items) == 1, "the college issued exactly one record")
        change = s.StatusChange(action="revoke", reason="shown in the demo")
        changed = await self.college.api.post(f"/admin/issued/{issued.items[0].id}/status", s.IssuedView, change)
        self.story.expect(changed.state == "revoked", "the record is revoked")

        async def known() -> bool | None:
            records = await self.learner.api.get("/admin/records", s.Page[s.HeldView])
            done = await self.college.api.get("/admin/exchanges", s.Page[s.ExchangeView], limit=1)
            return True if records.items[0].state == "revoked" and done.items[0].state == "done" else None

        await _eventually(known)
        return (
            "One bit among 131,072 is set in the college's signed status list; only the learner was told whose it is."
        )

    async def check_again(self) -> str:
        """Verify the same presentation again."""
        path = f"/admin/exchanges/{self.asked}/verify"
        verification = await self.employer.api.post(path, s.VerificationView, s.VerifyExchange())
        self.story.checks(verification.result)
        failed = [c.code for r in verification.result.credentials for c in r.checks if c.outcome == "fail"]
        self.story.expect(not verification.verified, "a revoked record does not verify")
        self.story.expect(failed == ["status.revoked"], "it fails because it is revoked, and for no other reason")
        return "Not verified, for one reason: the issuer has revoked the record."


async def _connect(inviter: DemoNode, invited: DemoNode) -> str:
    """Let ``invited`` answer an invitation of ``inviter``; the inviter's connection."""
    invitation = await inviter.api.post("/admin/invitations", s.InvitationView, s.NewInvitation())
    await invited.api.post("/admin/connections", s.ConnectionView, s.AcceptInvitation(invitation=invitation.url))

    async def made() -> str | None:
        page = await inviter.api.get("/admin/connections", s.Page[s.ConnectionView])
        return next((c.id for c in page.items if c.invitation_id == invitation.id and c.state == "completed"), None)

    return await _eventually(made)


async def _waiting(node: DemoNode, decision: str) -> s.ExchangeDetail:
    """The exchange in which the person at ``node`` has to decide."""

    async def find() -> s.ExchangeDetail | None:
        page = await node.api.get("/admin/exchanges", s.Page[s.ExchangeView], waiting="true")
        found = next((e for e in page.items if e.waiting_for == decision), None)
        return None if found is None else await node.api.get(f"/admin/exchanges/{found.id}", s.ExchangeDetail)

    return await _eventually(find)


async def _until(node: DemoNode, exchange_id: str, *states: str) -> s.ExchangeDetail:
    return await node.api.get(
        f"/admin/exchanges/{exchange_id}", s.ExchangeDetail, wait=_WAIT_SECONDS, state=",".join(states)
    )


async def _eventually(look: Callable[[], Awaitable[T | None]]) -> T:
    try:
        async with asyncio.timeout(_WAIT_SECONDS):
            while (found := await look()) is None:
                await asyncio.sleep(0.01)
            return found
    except TimeoutError:
        raise NotNow("demo.timeout", "A message did not arrive in time.", "Look at the nodes' logs.") from None


def _goodbye(folder: Path, seconds: float) -> None:
    line()
    line(f"Everything held. From the first invitation to the second check: {seconds:.2f} s.", style="green")
    line("The three nodes are stopped; what they hold stays. Look around:")
    # After scripts/demo the command is in .venv, which need not be on the path.
    lernode = "lernode" if shutil.which("lernode") else sys.argv[0]
    key = f"--passphrase-file {folder / 'passphrase'}"
    for command in (
        f"{lernode} records --home {folder / 'learner'} {key}",
        f"{lernode} records --issued --home {folder / 'college'} {key}",
        f"{lernode} log --home {folder / 'employer'} {key}",
    ):
        line(f"  {command}")
