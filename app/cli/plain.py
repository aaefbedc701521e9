"""A document as plain text, for a terminal or a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from app.core.document import Annex, Document, Grid, Heading, Paragraph, Picture, Signature, cell_text
from app.core.wrapping import wrap_words


def plain(document: Document, width: int | None = None, *, screen: bool = False) -> str:
    """Return the document's words and tables; pictures are named by what they show. Cells are never broken.

    The columns of a table that is wider than `width`, where that is given, stand below its rows: from the right, without the empty ones.
    On a `screen` other lines are broken at the width too, between words; a file keeps each on one line.
    """
    lines = [line for line in (document.warning, document.mark) if line]
    lines += [document.title_line, "=" * cell_len(document.title_line)]
    lines += [document.addressee] if document.addressee else []
    for block in document.blocks:
        lines += _lines(block, document.language, width)
    if screen and width is not None:
        lines = [part for line in lines for part in _broken(line, width)]
    return "\n".join(lines) + "\n"


def _broken(line: str, width: int) -> list[str]:
    """Break a line that is wider than the screen; what stands below a row stays indented. Rows of tables fit, or cannot be broken."""
    if cell_len(line) <= width:
        return [line]
    inset = line[: len(line) - len(line.lstrip(" "))]
    return [inset + part for part in wrap_words(line.removeprefix(inset), width - len(inset))]


def _lines(block: object, language: str, width: int | None) -> Iterator[str]:
    match block:
        case Heading():
            yield from ("", block.text)
        case Paragraph():
            yield ("　　" if block.style == "body" and language == "zh" else "") + block.text
        case Grid():
            yield ""
            yield from _grid(block, language, width)
        case Picture():
            yield f"[{block.caption}: {block.text}]" if language == "en" else f"［{block.caption}：{block.text}］"
        case Signature():
            yield from ("", block.body, block.day)
        case Annex():
            yield from ("", f"{block.mark}　{block.title}")


def _grid(grid: Grid, language: str, room: int | None) -> Iterator[str]:
    """Write a table with columns two spaces apart, numbers to the right."""
    if grid.caption:
        yield grid.caption
    rows = [grid.head, *([cell_text(cell) for cell in row] for row in grid.rows)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    kept = _columns_that_fit(widths, room)
    colon, comma = ("：", "；") if language == "zh" else (": ", "; ")
    for number, row in enumerate(rows):
        cells = list(zip(row, widths, grid.align, strict=True))[:kept]
        yield "  ".join(_padded(text, width, right=side == "r") for text, width, side in cells).rstrip()
        below = [f"{head}{colon}{text}" for head, text in zip(grid.head, row, strict=True)][kept:] if number else []
        if below := [part for part in below if not part.endswith((f"{colon}—", f"{colon}–", colon))]:
            yield f"    {comma.join(below)}"


def _columns_that_fit(widths: Sequence[int], room: int | None) -> int:
    """Return how many columns stand beside each other: one at least."""
    if room is None:
        return len(widths)
    return next((count for count in range(len(widths), 1, -1) if sum(widths[:count]) + 2 * (count - 1) <= room), 1)


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if right else text + space
