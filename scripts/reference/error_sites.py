"""Finds, by reading the code and not by running it, where errors and reasons are made and what they say.

A site is a call of an error class, a row of a table that has one, or a call that makes a reason of a check. Where the
code of an error is put together while the program runs, :data:`BUILT` says by hand what it can be; nothing else is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

__all__ = ["BUILT", "BUILT_REASONS", "ERROR_CLASSES", "Site", "error_sites", "reason_sites"]

ERROR_CLASSES = ("BadInput", "WrongState", "PeerFault", "NotNow", "LernodeError")
_PACKAGES = ("protocols", "storage", "node")

BUILT: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("protocols/didcomm/fields.py", "self._code"): (
        "message.malformed",
        "envelope.malformed",
        "attachment.malformed",
        "issue_credential.malformed",
        "present_proof.malformed",
    ),
    ("protocols/didcomm/formats.py", "f'{area}.unsupported_format'"): (
        "issue_credential.unsupported_format",
        "present_proof.unsupported_format",
    ),
    ("protocols/negotiation.py", "f'{self.area}.unexpected_message'"): (
        "issue_credential.unexpected_message",
        "present_proof.unexpected_message",
    ),
    ("protocols/negotiation.py", "f'{self.area}.wrong_thread'"): (
        "issue_credential.wrong_thread",
        "present_proof.wrong_thread",
    ),
    ("protocols/negotiation.py", "f'{self.area}.unknown_thread'"): (
        "issue_credential.unknown_thread",
        "present_proof.unknown_thread",
    ),
    ("protocols/negotiation.py", "f'{self.area}.wrong_state'"): (
        "issue_credential.wrong_state",
        "present_proof.wrong_state",
    ),
    ("protocols/jsonld/expansion.py", "code"): (
        "jsonld.context_invalid",
        "jsonld.dropped",
        "jsonld.relative_reference",
        "jsonld.undefined_term",
    ),
    ("storage/errors.py", "f\"{thing.replace(' ', '_')}.unknown\""): (
        "app.unknown",
        "app_grant.unknown",
        "catalogue.unknown",
        "cohort_answer.unknown",
        "cohort_asker.unknown",
        "connection.unknown",
        "did.unknown",
        "erasure.unknown",
        "exchange.unknown",
        "invitation.unknown",
        "issued_record.unknown",
        "job.unknown",
        "job_profile.unknown",
        "key.unknown",
        "mapping.unknown",
        "mediation_client.unknown",
        "mediator.unknown",
        "order.unknown",
        "outgoing_message.unknown",
        "receipt.unknown",
        "record.unknown",
        "resume.unknown",
        "share.unknown",
        "status_entry.unknown",
        "status_list.unknown",
        "trust_list.unknown",
        "trust_rule.unknown",
        "verification.unknown",
        "framework.unknown",
        "skill.unknown",
        "wallet.unknown",
        "webhook.unknown",
    ),
    ("storage/errors.py", "f\"{thing.replace(' ', '_')}.exists\""): (
        "attached_message.exists",
        "connection.exists",
        "did.exists",
        "exchange.exists",
        "invitation.exists",
        "issued_record.exists",
        "key.exists",
        "outgoing_message.exists",
        "receipt.exists",
        "record.exists",
        "verification.exists",
    ),
    ("node/http/admin_lookup.py", "code"): (
        "accreditation.ambiguous",
        "app.ambiguous",
        "connection.ambiguous",
        "exchange.ambiguous",
        "issued_record.ambiguous",
        "receipt.ambiguous",
        "record.ambiguous",
        "resume.ambiguous",
        "share.ambiguous",
        "trust_list.ambiguous",
        "trust_rule.ambiguous",
        "wallet.ambiguous",
        "webhook.ambiguous",
    ),
    ("node/http/admin_operation.py", "code"): ("http.body_malformed", "http.query_malformed"),
    ("node/runtime/delivery.py", "f'delivery.http_{response.status}'"): ("delivery.http_<status>",),
    # The code of a check (see the reasons below), or this where there is none.
    ("node/roles/checking.py", "reason_code(result) or 'verification.incomplete'"): ("verification.incomplete",),
    # Rules that a document breaks which was given to be signed: the codes of the reasons below.
    ("node/roles/vc_api_holder.py", "f'structure.{first.rule}'"): (),
    ("node/roles/vc_api_issuer.py", "check.code"): (),
    # An error of resolving a DID, said again of the peer who sent that DID: no code of its own.
    ("node/roles/peering.py", "error.code"): (),
    ("node/roles/contact.py", "error.code"): (),
    ("node/roles/rotation.py", "error.code"): (),
}
"""(file, the expression that gives the code) -> what it can be."""

BUILT_REASONS: Mapping[str, tuple[str, ...]] = {
    "controller.not_<role>": ("controller.not_holder", "controller.not_issuer"),
    "time.<too_early>": ("time.not_yet_valid", "time.proof_from_future"),
    "time.<too_late>": ("time.expired", "time.proof_expired"),
    # Found where the rules of the structure stand.
    "structure.<first.rule>": (),
    # A reason that is passed on.
    "<…>": (),
}
"""A code with gaps -> what it can be; other gaps are names of properties of the document."""


@dataclass(frozen=True, slots=True)
class Site:
    """One place where something with a code is made; an ellipsis stands for what is only known then."""

    file: str
    code: str
    kind: str
    message: str
    hint: str


def error_sites(root: Path) -> list[Site]:
    """Every error that the code can raise.

    Raises:
        LookupError: a code is built in a way that :data:`BUILT` does not know.
    """
    return _sites(root)[0]


def reason_sites(root: Path) -> list[Site]:
    """Every reason that a check can have; ``kind`` is how the check ends."""
    return [replace(site, code=code) for site in _sites(root)[1] for code in BUILT_REASONS.get(site.code, (site.code,))]


@cache
def _sites(root: Path) -> tuple[list[Site], list[Site]]:
    """Those of errors and those of reasons; each module is parsed once for both."""
    errors, reasons = list[Site](), list[Site]()
    for file, module in _modules(root):
        errors += _errors_of(file, module)
        reasons += _reasons_of(file, module)
    return errors, reasons


def _modules(root: Path) -> Iterator[tuple[str, _Module]]:
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            yield path.relative_to(root).as_posix(), _Module(ast.parse(path.read_text(encoding="utf-8")))


class _Module:
    """A module's tree, and what its names may stand for."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.nodes = list(ast.walk(tree))
        self._functions = [n for n in self.nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]

    def texts(self, node: ast.expr | None, *, gap: str = "…") -> list[str]:
        """What an expression may say, as far as can be told without running it."""
        if node is None:
            return [""]
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return [node.value]
        if isinstance(node, ast.JoinedStr):
            return ["".join(self._part(value, gap) for value in node.values)]
        if isinstance(node, ast.Name):
            return self._meanings(node) or [gap]
        return [gap]

    def _part(self, node: ast.expr, gap: str) -> str:
        if isinstance(node, ast.FormattedValue):
            constant = self._constant(node.value)
            return constant if constant is not None else gap if gap == "…" else f"<{ast.unparse(node.value)}>"
        return self.texts(node)[0]

    def _constant(self, node: ast.expr) -> str | None:
        for statement in self.tree.body:
            if not isinstance(statement, ast.Assign) or not isinstance(node, ast.Name):
                continue
            if any(isinstance(t, ast.Name) and t.id == node.id for t in statement.targets):
                return str(statement.value.value) if isinstance(statement.value, ast.Constant) else None
        return None

    def _meanings(self, name: ast.Name) -> list[str]:
        """What is assigned to a name in its function, or given for it where the function is called."""
        function = next((f for f in self._functions if name in set(ast.walk(f))), None)
        if function is None:
            return []
        assigned = [
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name.id for t in node.targets)
        ]
        parameters = [argument.arg for argument in function.args.args if argument.arg not in {"self", "cls"}]
        if not assigned and name.id in parameters:
            assigned = list(self._given(function.name, parameters.index(name.id)))
        elif earlier := [value for value in assigned if value.lineno <= name.lineno]:
            assigned = [max(earlier, key=lambda value: value.lineno)]
        said = [self.texts(value)[0] if not isinstance(value, ast.Name) else "…" for value in assigned]
        return list(dict.fromkeys(said))

    def _given(self, function: str, place: int) -> Iterator[ast.expr]:
        for node in self.nodes:
            if isinstance(node, ast.Call) and _called(node) == function and len(node.args) > place:
                yield node.args[place]


def _errors_of(file: str, module: _Module) -> Iterator[Site]:
    for node in module.nodes:
        if isinstance(node, ast.Call) and _called(node) in ERROR_CLASSES and node.args:
            yield from _expanded(file, module, _called(node), node.args)
        elif isinstance(node, ast.Tuple) and _is_error_row(node.elts):
            yield from _expanded(file, module, ast.unparse(node.elts[0]), node.elts[1:])
        elif isinstance(node, ast.Call) and _called(node) == "problem_response" and len(node.args) > 2:
            status, *rest = node.args
            if isinstance(status, ast.Constant) and isinstance(rest[0], ast.Constant):
                yield from _expanded(file, module, f"HTTP {status.value!r}", rest)


def _expanded(file: str, module: _Module, kind: str, arguments: list[ast.expr]) -> Iterator[Site]:
    code, message, hint = [*arguments, None, None][:3]
    codes = module.texts(code, gap="<…>") if isinstance(code, ast.Constant | ast.JoinedStr) else ["<"]
    if any("<" in found for found in codes):
        key = (file, ast.unparse(code) if code is not None else "")
        if key not in BUILT:
            raise LookupError(f"{file}: say in BUILT what the code {key[1]} can be")
        codes = list(BUILT[key])
    for found in codes:
        for text in module.texts(message):
            yield Site(file, found, kind, text, module.texts(hint)[0])


_ENDINGS = {
    "failed": "fail",
    "_fail": "fail",
    "not_checked": "not-checked",
    "_unknown": "not-checked",
    "passed": "pass",
}


def _reasons_of(file: str, module: _Module) -> Iterator[Site]:
    in_checks = file.startswith("protocols/credentials/checks/")
    for node in module.nodes:
        if in_checks and isinstance(node, ast.Tuple) and _is_reason_row(node.elts):
            yield Site(file, module.texts(node.elts[0])[0], "fail", module.texts(node.elts[1])[0], Path(file).stem)
        if not isinstance(node, ast.Call):
            continue
        name = _called(node)
        if in_checks and name in _ENDINGS:
            yield from _reason(file, module, node, _ENDINGS[name])
        elif in_checks and name == "_why":
            code, message = (module.texts(argument)[0] for argument in node.args[1:])
            yield Site(file, code, "not-checked" if code.endswith("unknown") else "fail", message, "proof")
        elif file == "protocols/credentials/structure.py" and name == "Problem":
            for code in module.texts(node.args[0], gap="<…>"):
                for message in module.texts(node.args[1]):
                    yield Site(file, f"structure.{code}", "fail", message, "structure")
        elif file.startswith("protocols/exchange/") and name == "Reason":
            for code in module.texts(node.args[0], gap="<…>"):
                for message in module.texts(node.args[1]):
                    yield Site(file, code, "fail", message, "query")


def _reason(file: str, module: _Module, node: ast.Call, ending: str) -> Iterator[Site]:
    arguments = list(node.args)
    check = ""
    if ast.unparse(arguments[0]).startswith("Check."):
        check = ast.unparse(arguments.pop(0)).removeprefix("Check.").lower().replace("_", "-")
    else:
        check = Path(file).stem if Path(file).stem != "holder" else "holder-binding"
    named = next((keyword.value for keyword in node.keywords if keyword.arg == "code"), None)
    if ending == "pass":
        if named is None:
            return
        arguments = [named, *arguments]
    if len(arguments) < 2 or not isinstance(arguments[0], ast.Constant | ast.JoinedStr):
        return  # the code of an error, passed on
    for code in module.texts(arguments[0], gap="<…>"):
        for message in module.texts(arguments[1]):
            yield Site(file, code, ending, message, check)


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _is_reason_row(cells: list[ast.expr]) -> bool:
    """Whether it is a code and a sentence."""
    texts = [cell.value for cell in cells if isinstance(cell, ast.Constant) and isinstance(cell.value, str)]
    return len(cells) == len(texts) == 2 and "." in texts[0] and texts[1].endswith(".")


def _is_error_row(cells: list[ast.expr]) -> bool:
    """Whether it is a class, a code, a message and a hint, and not the classes that an except clause names."""
    is_row = len(cells) == 4 and isinstance(cells[1], ast.Constant)
    return is_row and isinstance(cells[0], ast.Name) and cells[0].id in ERROR_CLASSES
