"""A document as plain text, for a terminal or a file."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len

from app.core.document import Annex, Document, Grid, Heading, Paragraph, Picture, Signature, cell_text


def plain(document: Document) -> str:
    """Return the document's words and tables; pictures are named by what they show. Cells are never broken."""
    lines = [line for line in (document.warning, document.mark) if line]
    lines += [document.title_line, "=" * cell_len(document.title_line)]
    lines += [document.addressee] if document.addressee else []
    for block in document.blocks:
        lines += _lines(block, document.language)
    return "\n".join(lines) + "\n"


def _lines(block: object, language: str) -> Iterator[str]:
    match block:
        case Heading():
            yield from ("", block.text)
        case Paragraph():
            yield ("　　" if block.style == "body" and language == "zh" else "") + block.text
        case Grid():
            yield ""
            yield from _grid(block)
        case Picture():
            yield f"[{block.caption}: {block.text}]" if language == "en" else f"［{block.caption}：{block.text}］"
        case Signature():
            yield from ("", block.body, block.day)
        case Annex():
            yield from ("", f"{block.mark}　{block.title}")


def _grid(grid: Grid) -> Iterator[str]:
    """Write a table with columns two spaces apart, numbers to the right."""
    if grid.caption:
        yield grid.caption
    rows = [grid.head, *([cell_text(cell) for cell in row] for row in grid.rows)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, grid.align, strict=True)
        yield "  ".join(_padded(text, width, right=side == "r") for text, width, side in cells).rstrip()


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if right else text + space
