"""The entry of the ``lernode`` command: which commands there are, and how an error reaches the user.

Each command's module is imported when the command is used, so that ``lernode --help`` answers at once.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from node.cli.output import fail
from protocols.errors import BadInput, LernodeError, NotNow

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("node.cli.demo", "Show the whole way of a record, between three nodes."),
    "init": ("node.cli.init", "Make a node."),
    "run": ("node.cli.run", "Run the node, so that peers can reach it."),
    "status": ("node.cli.status", "Show how the node is and what waits."),
    "did": ("node.cli.did", "Show the node's DIDs, or make one."),
    "invite": ("node.cli.invite", "Make an invitation for a peer."),
    "accept": ("node.cli.accept", "Accept an invitation, an offer or a connection."),
    "mediate": ("node.cli.mediate", "Let a peer hold messages for this node."),
    "mediation": ("node.cli.mediation", "Show and end mediation, for this node and for others."),
    "rotate": ("node.cli.rotate", "Go on with a peer under a fresh DID and key."),
    "disconnect": ("node.cli.disconnect", "End a connection with a peer for good."),
    "issue": ("node.cli.issue", "Award an achievement: to a peer, or as files."),
    "records": ("node.cli.records", "List, show and export records."),
    "skills": ("node.cli.skills", "Show the skills that your records attest, and how strongly."),
    "resume": ("node.cli.resume", "Put records together to be shown: to a peer, by a link, on paper."),
    "request": ("node.cli.request", "Ask a peer for proof of skills."),
    "present": ("node.cli.present", "Answer a request with records."),
    "export": ("node.cli.export", "Write your records into one encrypted file."),
    "import": ("node.cli.import_records", "Take records from files, links or an export into this node."),
    "apps": ("node.cli.apps", "Let wallets and platforms at your records, and end it."),
    "wallets": ("node.cli.wallets", "Connect wallets of others: give them badges, and take theirs."),
    "receipts": ("node.cli.receipts", "Show what you have shown to whom."),
    "propose": ("node.cli.propose", "Ask for a record, or say what you could show."),
    "resend": ("node.cli.resend", "Send an unanswered message again."),
    "queue": ("node.cli.queue", "Show messages that did not arrive, and try them again."),
    "verify": ("node.cli.verify", "Check a record or presentation."),
    "cohort": ("node.cli.cohort", "Count the skills of many learners."),
    "trust": ("node.cli.trust", "Say whose records you believe, and see why."),
    "clr": ("node.cli.clr", "Give a learner all their records in one (CLR 2.0)."),
    "endorse": ("node.cli.endorse", "Endorse a record that somebody else has issued."),
    "revoke": ("node.cli.revoke", "Revoke an issued record for good."),
    "correct": ("node.cli.correct", "Replace an issued record by a correct one."),
    "suspend": ("node.cli.revoke", "Suspend an issued record."),
    "reinstate": ("node.cli.revoke", "Lift the suspension of a record."),
    "mark": ("node.cli.revoke", "Set a message on an issued record."),
    "catalogue": ("node.cli.catalogue", "Say what you award: achievements, their versions, their skills."),
    "desk": ("node.cli.desk", "Issue to lists of learners: check, approve, issue or invite by mail, report."),
    "framework": ("node.cli.framework", "Import frameworks of skills, search and compare them."),
    "profile": ("node.cli.profile", "Keep profiles of jobs: required and wished skills."),
    "query": ("node.cli.query", "Turn a job profile into what a peer is asked for."),
    "pathways": ("node.cli.pathways", "Show what is missing for a job, and what closes it."),
    "match": ("node.cli.match", "Hold records against a job profile."),
    "events": ("node.cli.events", "Show what webhooks and the event stream tell."),
    "webhooks": ("node.cli.webhooks", "Tell the institution's own systems of what happens."),
    "db": ("node.cli.db", "Look at the node's store, check it, or move it to another engine."),
    "prune": ("node.cli.prune", "Forget what the configuration keeps no longer."),
    "erase": ("node.cli.erase", "Erase all that is kept of a person."),
    "passphrase": ("node.cli.passphrase", "Change the passphrase, or the key, that opens the node."),
    "backup": ("node.cli.backup", "Write the whole node into one encrypted file."),
    "restore": ("node.cli.backup", "Make a node anew from a backup."),
    "log": ("node.cli.log", "Show the audit trail, or check that it is whole."),
}
"""Command -> the module that has it under its own name, and its line in the overview."""


_ATTRIBUTES = {"import": "import_"}
"""Commands whose name is a word of Python."""


class _Commands(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a newcomer needs them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(
            importlib.import_module(COMMANDS[cmd_name][0]), _ATTRIBUTES.get(cmd_name, cmd_name)
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The overview, without importing the commands."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_module, about) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="lernode", message="lernode %(version)s")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="Folder of the node (~/.lernode).")
@click.pass_context
def cli(ctx: click.Context, home: Path | None) -> None:
    """Issue, hold, present and verify learning records, from peer to peer.

    \b
    A first node on this machine:
      lernode init --label "Ada" --local
      lernode run
    and, in another terminal:
      lernode accept 'https://college.example/?oob=...'
      lernode records

    Every command explains itself: lernode COMMAND --help. With --json a command prints one JSON document.
    It ends with 0 when done, 1 when not verified or refused, 2 when the input is wrong, 3 when it may work later.
    """
    ctx.obj = home


def main() -> None:
    """Run the command line of this process."""
    as_json = "--json" in sys.argv[1:]
    try:
        code = cli.main(standalone_mode=False, prog_name="lernode")
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.exceptions.Abort:
        code = fail(NotNow("cli.stopped", "Stopped.", "Start the command again."), as_json=as_json)
    except click.UsageError as error:
        about = error.ctx.command_path if error.ctx else "lernode"
        usage = BadInput("cli.usage", error.format_message(), f"See how it is used: {about} --help")
        code = fail(usage, as_json=as_json)
    except click.ClickException as error:
        code = fail(BadInput("cli.input", error.format_message(), "Check the path or value."), as_json=as_json)
    except LernodeError as error:
        code = fail(error, as_json=as_json)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
