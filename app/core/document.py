"""A report as a document: headings, paragraphs, tables, pictures, a signature. What lays it out knows no rollout. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

#: How a document is laid out: an official circular (通报, after GB/T 9704), or a working report.
Look = Literal["circular", "report"]
#: What a cell may hold; a workbook keeps numbers as numbers.
Cell = str | int | float | None
#: Shown for what is not known.
DASH = "—"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading with its number in its text; level 1 or 2."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph. `style`: body (indented), plain, or note (small)."""

    text: str
    style: str = "body"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table under its caption. `widths` are shares of the line, `align` one of l, c, r for each column.

    Raises:
        ValueError: it holds no row, or a row has another number of cells than the head. An empty table says nothing:
            write a sentence instead (`grid_or`).
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]
    align: str

    def __post_init__(self) -> None:
        if not self.rows:
            raise ValueError(f"table `{self.caption}` is empty")
        if {len(self.head), len(self.widths), len(self.align)} | {len(row) for row in self.rows} != {len(self.head)}:
            raise ValueError(f"table `{self.caption}`: rows of another length than its head")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing as SVG; `width` is its share of the line, `text` says in words what it shows."""

    caption: str
    svg: str
    text: str
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Signature:
    """Who issues the document, and the day in words."""

    body: str
    day: str


@dataclass(frozen=True, slots=True)
class Annex:
    """What follows begins on a page of its own, under this mark (附件1) and title; `landscape`: for a wide table."""

    mark: str
    title: str
    landscape: bool = False


Block = Heading | Paragraph | Grid | Picture | Signature | Annex


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report. `mark` is the number of a circular (文号), `addressee` whom it goes to; `warning` tells a simulation.

    `landscape`: all its pages lie on their side, for a report that is one wide table.
    """

    language: str
    look: Look
    title: str
    mark: str
    addressee: str
    warning: str
    blocks: tuple[Block, ...]
    landscape: bool = False

    @property
    def title_line(self) -> str:
        """Return the title as one line; `title` may be broken where it reads well."""
        return self.title.replace("\n", "")

    @property
    def grids(self) -> tuple[Grid, ...]:
        return tuple(block for block in self.blocks if isinstance(block, Grid))


def grid_or(
    empty: str, caption: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], widths: Sequence[float], align: str
) -> Block:
    """Return the table, or the sentence `empty` where there is nothing to put into one."""
    if not rows:
        return Paragraph(empty)
    return Grid(caption, tuple(head), tuple(tuple(row) for row in rows), tuple(widths), align)


def cell_text(cell: Cell) -> str:
    """Return a cell as it is printed: numbers short, what is not known as a dash."""
    if cell is None or cell == "":
        return DASH
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


#: Numbers of chapters; no report has more.
_CHAPTERS = "一二三四五六七八九十"


class Outline:
    """Blocks as they are added, chapters and sections numbered in the manner of the language (一、（一） or 1., (1))."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._blocks: list[Block] = []
        self._chapter = self._section = 0

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(self._blocks)

    def chapter(self, text: str) -> None:
        self._chapter, self._section = self._chapter + 1, 0
        number = f"{_CHAPTERS[self._chapter - 1]}、" if self._language == "zh" else f"{self._chapter}. "
        self.add(Heading(f"{number}{text}"))

    def section(self, text: str) -> None:
        self._section += 1
        number = f"（{_CHAPTERS[self._section - 1]}）" if self._language == "zh" else f"({self._section}) "
        self.add(Heading(f"{number}{text}", level=2))

    def say(self, *sentences: str, style: str = "body") -> None:
        """Add a paragraph of these sentences, those that are empty left out."""
        text = ("" if self._language == "zh" else " ").join(sentence for sentence in sentences if sentence)
        if text:
            self.add(Paragraph(text, style))

    def add(self, *blocks: Block) -> None:
        self._blocks += blocks
