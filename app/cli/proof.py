"""Commands on evidence: keys, packs, and their check anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Form, Root, leave, now, open_context
from app.cli.lifecycle import By
from app.cli.lines import one_line, read_file, write_file
from app.cli.output import Format, Table, show, stdout, tell
from app.core.evidence import Verification, fingerprint
from app.core.evidence import verify as verify_pack
from app.edge.provenance import clock_state
from app.edge.signing import check_signature, public_file, read_key, read_public_key, write_key
from app.errors import ExitCode
from app.workflows.evidence import Occasion, export_evidence

evidence = typer.Typer(help="Evidence packs: what a decision rests on, signed.", no_args_is_help=True)
Key = Annotated[Path | None, typer.Option("--key", envvar="WAIWANG_EVIDENCE_KEY", help="the private key, outside every repository")]


@evidence.command()
def keygen(file: Annotated[Path, typer.Argument(help="where to write the private key; FILE.pub gets the public one")]) -> None:
    """Make a key for signing packs."""
    key = write_key(file)
    stdout().print(f"{file} (mode 600)\n{public_file(file)}\nfingerprint {fingerprint(key.public.hex())}", soft_wrap=True, markup=False)


@evidence.command()
def export(
    line: Annotated[str, typer.Argument(help="line id")],
    output: Annotated[Path, typer.Option("-o", "--output", help="file to write")],
    by: By,
    key: Key = None,
    root: Root = None,
) -> None:
    """Write the pack over a line's newest decision."""
    context = open_context(root)
    line_id = one_line(context.workspace.inventory.lines, line)
    occasion = Occasion(by, now(), clock_state(), context.settings.poll_interval_s)
    pack = export_evidence(context.workspace, context.store, context.settings.root, line_id, read_key(key), occasion)
    write_file(output, pack)
    tell(f"{output}: {len(pack)} bytes")


def verify(
    pack: Annotated[Path, typer.Argument(help="the pack")],
    key: Annotated[Path | None, typer.Option("--key", help="the signer's public key, known from elsewhere (FILE.pub)")] = None,
    form: Form = Format.text,
) -> None:
    """Check a pack; names what was altered. Needs no workspace and no network."""
    trusted_key = read_public_key(key) if key is not None else None
    found_out = verify_pack(read_file(pack), check_signature, trusted_key)
    rows = [(each.where, each.expected, each.found) for each in found_out.alterations]
    if form is Format.text:
        for each in found_out.alterations:
            stdout().print(f"altered {each}", soft_wrap=True, markup=False)
        _tell(found_out, trusted_key)
    else:
        show(Table("verify", ("where", "expected", "found"), rows, {"altered": len(rows), "parts": len(found_out.parts)}), form)
    leave(ExitCode.NOT_ACCEPTED if rows else ExitCode.OK)


def _tell(found: Verification, trusted_key: bytes | None) -> None:
    """Say what the pack is, who signed it, and what was not checked; of an altered one only what it says of itself."""
    altered = bool(found.alterations)
    lines = [f"{len(found.alterations)} places altered · {len(found.parts)} parts"]
    if altered:
        lines.append("do not rely on this pack: what follows is what it says of itself")
    decision, about = found.content("decision"), found.content("pack")
    if isinstance(about, dict) and isinstance(decision, dict):
        lines.append(f"line {about.get('line_id')}: {decision.get('verdict')}, decided {decision.get('decided_at')}")
    if found.public_key is not None:
        verb = "carries the key" if altered else "signed with"
        lines.append(f"{verb} {fingerprint(found.public_key)} ({_known(found.public_key, trusted_key)})")
    if not found.sm3_told:
        lines.append("the pack holds no SM3 digests: it was made where OpenSSL has none; SHA-256 and the signature cover it")
    elif not found.sm3_checked:
        lines.append("SM3 was not checked: this machine's OpenSSL has none; SHA-256 and the signature were")
    stdout().print("\n".join(lines), soft_wrap=True, markup=False)


def _known(public_key: str, trusted_key: bytes | None) -> str:
    if trusted_key is None:
        return "compare the fingerprint with the signer's; --key does it for you"
    return "the key that was given" if trusted_key.hex() == public_key else "not the key that was given"
