"""Reports as their readers get them: the same words in every format, both languages, no empty table, the same bytes every time."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from docx import Document as open_docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from openpyxl import load_workbook

from app.cli.plain import plain
from app.core.availability import ServiceLevel
from app.core.document import Annex, Document, Grid, Heading, Paragraph, Picture, Signature, cell_text
from app.core.life import BUILDING, LifeEvent
from app.core.periods import Period
from app.core.standings import primary_lines
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.office import FONTS, draw_png, write_report_docx, write_report_pdf, write_report_xlsx
from app.errors import InputError, RenderError
from app.web.reports.appraisal import build_availability, build_organisation, build_scores
from app.web.reports.circular import Letterhead, build_circular
from app.web.reports.pictures import COLOURS, draw_map, draw_timeline
from app.web.reports.progress import build_deadlines, build_overdue, build_progress
from app.web.reports.shared import Ground, lay_ground
from app.workflows.appraise import list_of, score_table
from app.workflows.known import read_known
from tests.samples.accepted_line import LINE, ROOT, root_workspace
from tests.samples.command_line import CommandLine
from tests.samples.orders import BARKOL, DAZHOU, SHANGRAO, SHAOXING, read
from tests.samples.reported import DAY, NOW, roll_out
from tests.samples.required import skip_or_fail

JULY, JUNE = Period(2008, 7, 1), Period(2008, 6, 1)
REPORTS = ("progress", "deadlines", "overdue", "circular", "scores", "organisation", "availability")
LANGUAGES = ("zh", "en")
FIVE = (ROOT, BARKOL, DAZHOU, SHANGRAO, SHAOXING)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def store(place: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{place / 'waiwang.db'}")
    roll_out(opened)
    yield opened
    opened.close()


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Store]:
    """A database in which nothing ever happened."""
    opened = Store.open(f"sqlite:///{tmp_path / 'silent.db'}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def require_fonts() -> None:
    if not FONTS.is_dir():
        skip_or_fail("not installed: fonts-noto-cjk (make system-packages)")


def ground(
    store: Store, language: str = "zh", workspace: Workspace | None = None, at: datetime = NOW, *, looks_back: bool = True
) -> Ground:
    known = read_known(workspace or root_workspace(), store, at)
    return lay_ground(workspace or root_workspace(), known, language, known.later if looks_back else None)


def build(name: str, from_: Ground) -> Document:
    match name:
        case "progress":
            return build_progress(from_)
        case "deadlines":
            return build_deadlines(from_)
        case "overdue":
            return build_overdue(from_)
        case "circular":
            return build_circular(from_, JULY, Letterhead())
        case "scores":
            return build_scores(from_, *score_table(from_.workspace, from_.known, None))
        case "organisation":
            workspace = read(DAZHOU)
            dazhou = replace(from_, workspace=workspace, known=replace(from_.known, summary=from_.known.summary))
            return build_organisation(dazhou, list_of(workspace, dazhou.known, next(iter(workspace.order.organisations)).organisation_id))
    spans = (timedelta(minutes=42_307), timedelta(minutes=29), timedelta(minutes=864), timedelta(0))
    level = ServiceLevel(LINE, NOW - 30 * DAY, NOW, Decimal("99.9500"), *spans)
    assert level.verdict == "fail"
    return build_availability(replace(from_, workspace=root_workspace()), read(DAZHOU).order.availability, [level])


def said(document: Document) -> list[str]:
    """Return every text of a document."""
    texts = [document.title_line, document.mark, document.addressee, document.warning]
    for block in document.blocks:
        match block:
            case Heading() | Paragraph():
                texts += block.text.split("\n")
            case Grid():
                texts += [block.caption, *block.head, *(cell_text(cell) for row in block.rows for cell in row)]
            case Picture():
                texts += [block.caption]
            case Signature():
                texts += [block.body, block.day]
            case Annex():
                texts += [block.mark, block.title]
    return [text for text in texts if text]


# What they say


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_circular_reads_as_a_circular(store: Store, language: str, golden: Callable[[str, str], None]) -> None:
    document = build_circular(ground(store, language), JULY, Letterhead("巴府办函〔2008〕56号"))
    golden(f"reports/circular.{language}.txt", plain(document))


@pytest.mark.parametrize("language", LANGUAGES)
def test_progress_is_told_by_milestone_county_class_and_carrier(store: Store, language: str, golden: Callable[[str, str], None]) -> None:
    golden(f"reports/progress.{language}.txt", plain(build_progress(ground(store, language))))


@pytest.mark.parametrize("name", REPORTS)
def test_a_chinese_report_has_no_english_sentence(store: Store, name: str) -> None:
    document = build(name, ground(store))
    strange = [text for text in said(document) if re.search(r"[a-z]{3,} [a-z]{2,}", text)]
    assert strange == []


@pytest.mark.parametrize("name", REPORTS)
def test_an_english_report_has_chinese_names_only_where_the_order_gives_no_other(store: Store, name: str) -> None:
    document = build(name, ground(store, "en"))
    assert [block.text for block in document.blocks if isinstance(block, Heading) and re.search("[\u4e00-\u9fff]", block.text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["progress", "deadlines", "overdue", "circular", "scores"])
def test_where_nothing_is_known_a_sentence_stands_for_the_table(silent: Store, name: str, language: str) -> None:
    document = build(name, ground(silent, language))
    assert all(grid.rows for grid in document.grids)
    headings = [place for place, block in enumerate(document.blocks) if isinstance(block, Heading)]
    following = [document.blocks[place + 1] for place in headings if document.blocks[place].level == 2]  # type: ignore[union-attr]
    assert not any(isinstance(block, Heading | Annex) for block in following)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rollout_without_a_single_acceptance_is_given_no_day_of_its_end(silent: Store, language: str) -> None:
    text = plain(build("circular", ground(silent, language)))
    assert {"zh": "验收0条，数据不足，不作预测。", "en": "0 lines were accepted in the last"}[language] in text
    assert {"zh": "预计完成日期为", "en": "at that pace"}[language] not in text


def test_a_circular_of_a_period_that_went_well_names_nobody(silent: Store) -> None:
    early = datetime(2008, 5, 10, tzinfo=UTC)
    document = build_circular(ground(silent, at=early), Period(2008, 5, 1), Letterhead())
    text = plain(document)
    assert "没有逾期未完成的线路。" in text
    assert "没有判定为不合格的线路。" in text
    assert [block.title for block in document.blocks if isinstance(block, Annex)] == ["各县（区）及网络服务提供商建设进度表"]


def test_before_its_day_an_untouched_rollout_is_urged_on_and_a_single_annex_has_no_number(silent: Store) -> None:
    before = datetime(2008, 6, 26, 4, tzinfo=UTC)
    whole = {language: said(build("circular", ground(silent, language, at=before, looks_back=False))) for language in LANGUAGES}
    assert "尚未到期的420条未验收线路，各责任方抓紧建设，按期完成验收。" in whole["zh"]
    assert "420 lines whose day is to come are to be built and accepted in time." in whole["en"]
    assert not [text for text in whole["zh"] if "继续保持" in text]
    assert "附件：各县（区）及网络服务提供商建设进度表" in whole["zh"]
    assert "Annex: Progress of counties and carriers." in whole["en"]
    annexes = [block.mark for block in build("circular", ground(silent, at=before, looks_back=False)).blocks if isinstance(block, Annex)]
    assert annexes == ["附件"]


@pytest.mark.parametrize("name", ["progress", "circular", "deadlines"])
def test_chinese_sentences_follow_each_other_without_a_gap_and_write_days_as_officials_do(store: Store, name: str) -> None:
    document = build(name, ground(store))
    assert [text for text in said(document) if re.search(r"[。；，] ", text)] == []
    sentences = [block.text for block in document.blocks if isinstance(block, Paragraph) and "预计完成日期" in block.text]
    assert sentences
    assert [text for text in sentences if re.search(r"\d-\d", text)] == []


@pytest.mark.requirement("BL-5")
def test_the_circular_names_every_late_and_every_failed_line_in_its_annexes(store: Store) -> None:
    from_ = ground(store)
    late = {line.line_id for line in from_.known.summary.lines if line.due == "late" and line.role == "primary"}
    failed = {line.line_id for line in from_.known.summary.lines if line.verdict == "fail"}
    grids = build_circular(from_, JULY, Letterhead()).grids
    assert late
    assert failed
    assert [{row[3] for row in grid.rows} for grid in grids[-2:]] == [late, failed]


def test_the_letterhead_is_the_users_where_it_is_given(store: Store) -> None:
    head = Letterhead("乙〔2008〕1号", "各乡镇：", "市电子政务中心", date(2013, 1, 8))
    document = build_circular(ground(store, looks_back=False), JULY, head)
    [signature] = [block for block in document.blocks if isinstance(block, Signature)]
    assert (document.mark, document.addressee) == ("乙〔2008〕1号", "各乡镇：")
    assert signature == Signature("市电子政务中心", "2013年1月8日")


@pytest.mark.requirement("SX-3", "SR-7")
def test_a_circular_says_which_clause_asks_for_it_or_that_none_does(store: Store, silent: Store) -> None:
    def last_note(workspace: Workspace, period: Period) -> str:
        from_ = ground(silent, workspace=workspace, looks_back=False)
        return [block.text for block in build_circular(from_, period, Letterhead()).blocks if isinstance(block, Paragraph)][-1]

    assert last_note(root_workspace(), JULY) == "文件未规定通报周期；本期范围由使用者选定（默认值）。"
    assert last_note(read(SHAOXING), Period(2008, 7, 3)) == "通报周期：定期通报（一般每三个月一次）（正文）。"
    assert last_note(read(SHANGRAO), JULY).startswith("通报周期：每月通报（R-SR-7）")
    assert last_note(read(SHAOXING), JULY) == "文件未规定通报周期；本期范围由使用者选定（默认值）。"


@pytest.mark.requirement("SX-3", "SX-4")
def test_the_score_sheet_ranks_each_kind_apart_and_shows_the_working_of_every_row(silent: Store) -> None:
    from_ = ground(silent, workspace=read(SHAOXING))
    table, ranked = score_table(from_.workspace, from_.known, None)
    document = build_scores(from_, table, ranked)
    *rankings, sources, working = document.grids
    assert [len(grid.rows) for grid in rankings] == list(Counter(each.kind for each in ranked).values())
    assert len(sources.rows) == len(table.items) + len(table.adjustments)
    assert len(working.rows) == len(ranked) * len(sources.rows)
    assert all(row[-1] for row in (*sources.rows, *working.rows))


def test_one_county_is_addressed_as_one_county(silent: Store) -> None:
    document = build_circular(ground(silent, workspace=read(BARKOL)), JULY, Letterhead())
    assert document.addressee == "各接入单位，各有关网络服务提供商："


def test_every_milestone_row_says_clause_ruling_or_default(store: Store) -> None:
    grid = build_progress(ground(store)).grids[0]
    sources = {row[-1] for row in grid.rows}
    assert {"R-BZ-5", "R-BZ-6"} <= sources
    assert all(sources)


# What was learnt later


def test_what_was_learnt_later_is_told_apart_and_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    roll_out(store)
    before = {name: build(name, ground(store, looks_back=False)) for name in ("progress", "deadlines", "overdue", "circular", "scores")}
    store.write_life_events([LifeEvent(LINE, BUILDING, NOW - 9 * DAY, NOW + DAY, "网络科", "施工日志")])
    for name, document in before.items():
        assert build(name, ground(store, looks_back=False)) == document
        told = plain(build(name, ground(store)))
        assert "建设环节：建设中" in told
        assert told.startswith(plain(document).rstrip("\n"))
    store.close()


@pytest.mark.usefixtures("require_fonts")
def test_files_as_of_then_are_the_same_bytes_whatever_is_recorded_later(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'waiwang.db'}"
    waiwang = CommandLine(tmp_path, {"WAIWANG_ROOT": str(ROOT), "WAIWANG_DATABASE_URL": url})
    store = Store.open(url)
    roll_out(store)
    asked = ("--as-of", "2008-07-02T10:40")

    def files(*more: str) -> dict[str, bytes]:
        for name in ("overdue.docx", "progress.pdf", "circular.txt", "circular.json", "overdue.csv"):
            ended = waiwang("report", name.partition(".")[0], *asked, *more, "-o", name)
            assert (ended.code, ended.out) == (6, "")
        return {file.name: file.read_bytes() for file in tmp_path.glob("*.*") if "waiwang.db" not in file.name}

    known, whole = files("--known-only"), files()
    store.write_life_events([LifeEvent(LINE, BUILDING, NOW - 9 * DAY, NOW + DAY, "网络科", "施工日志")])
    store.close()
    assert files("--known-only") == known
    changed = {name for name, content in files().items() if content != whole[name]}
    assert changed == {"overdue.docx", "progress.pdf", "circular.json"} | {name for name in whole if name == "circular.txt"}


# In every format


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.usefixtures("require_fonts")
def test_the_docx_says_everything_and_its_bytes_are_the_same_every_time(store: Store, name: str, language: str) -> None:
    document = build(name, ground(store, language))
    docx = write_report_docx(document)
    assert docx == write_report_docx(document)
    with zipfile.ZipFile(io.BytesIO(docx)) as package:
        spoken = "".join(ElementTree.fromstring(package.read("word/document.xml")).itertext())
    assert [text for text in said(document) if text not in spoken] == []
    tables = open_docx(io.BytesIO(docx)).tables
    assert [len(table.rows) for table in tables] == [len(grid.rows) + 1 for grid in document.grids]


@pytest.mark.parametrize("name", ["circular", "progress", "scores"])
@pytest.mark.usefixtures("require_fonts")
def test_the_pdf_has_the_same_bytes_every_time_and_both_faces(store: Store, name: str) -> None:
    document = build(name, ground(store))
    pdf = write_report_pdf(ROOT, document)
    assert pdf == write_report_pdf(ROOT, document)
    assert pdf.startswith(b"%PDF-")
    assert b"NotoSerifCJKsc" in pdf
    assert b"NotoSansCJKsc" in pdf


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_workbook_has_a_sheet_for_every_table_with_numbers_as_numbers(store: Store, language: str) -> None:
    document = build("scores", ground(store, language))
    workbook = write_report_xlsx(document)
    assert workbook == write_report_xlsx(document)
    book = load_workbook(io.BytesIO(workbook))
    assert len(book.worksheets) == 1 + len(document.grids)
    for sheet, grid in zip(book.worksheets[1:], document.grids, strict=True):
        rows = [tuple(cell.value for cell in row) for row in sheet.iter_rows(min_row=2)]
        assert rows == [grid.head, *(tuple(cell if cell != "" else None for cell in row) for row in grid.rows)]
        assert sheet.print_title_rows == "$1:$2"
    assert isinstance(book.worksheets[1]["D3"].value, int | float)


def moments_of(package: bytes) -> set[object]:
    """Return every moment that an office package names."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        stamps = re.findall(r"<dcterms:\w+[^>]*>([^<]*)<", archive.read("docProps/core.xml").decode())
        return {*(entry.date_time for entry in archive.infolist()), *stamps}


@pytest.mark.usefixtures("require_fonts")
def test_an_office_file_does_not_tell_when_it_was_made(store: Store) -> None:
    document = build("overdue", ground(store))
    never = {(1980, 1, 1, 0, 0, 0), "1980-01-01T00:00:00Z"}
    assert [moments_of(write(document)) <= never for write in (write_report_docx, write_report_xlsx)] == [True, True]


def test_no_cell_of_a_workbook_is_a_formula() -> None:
    grid = Grid("", ("名称",), (("=1+1",), ("+86",), ("@x",)), (1,), "l")
    document = Document("zh", "report", "表", "", "", "", (grid,))
    sheet = load_workbook(io.BytesIO(write_report_xlsx(document))).worksheets[1]
    assert [(row[0].value, row[0].data_type) for row in sheet.iter_rows(min_row=3)] == [("=1+1", "s"), ("+86", "s"), ("@x", "s")]


@pytest.mark.parametrize("days_back", range(0, 90, 3))
def test_the_line_of_the_day_of_the_facts_crosses_no_label(store: Store, days_back: int) -> None:
    facts = ground(store, at=NOW - days_back * DAY)
    svg = ElementTree.fromstring(draw_timeline(facts))
    [line] = [each for each in svg.findall(".//{*}line") if each.get("stroke-dasharray")]
    at = float(line.get("x1", ""))
    standings = [each for each in svg.findall(".//{*}text") if each.get("fill") in COLOURS.values()]
    assert len(standings) == len(facts.known.summary.milestones)
    for each in standings:
        size, begin = float(each.get("font-size", "")), float(each.get("x", ""))
        width = sum(size if ord(sign) > 0x2E7F else 0.55 * size for sign in each.text or "")
        begin -= width if each.get("text-anchor") == "end" else 0
        assert not begin - 2 < at < begin + width + 2, each.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("root", FIVE, ids=lambda root: "bazhong-2008" if root == ROOT else root.name)
def test_in_pictures_no_title_is_cut_and_no_region_lies_over_another(silent: Store, root: Path, language: str) -> None:
    facts = ground(silent, language, read(root))
    timeline, picture = draw_timeline(facts), ElementTree.fromstring(draw_map(facts))
    assert "…" not in timeline
    titles = [facts.say.pick(each.title, each.title_en) for each in facts.known.summary.milestones]
    written = re.sub(r"\s", "", "".join(ElementTree.fromstring(timeline).itertext()))
    assert [title for title in titles if re.sub(r"\s", "", title) not in written] == []
    rings = {(float(ring.get("cx", "")), float(ring.get("cy", ""))) for ring in picture.findall(".//{*}circle")}
    assert len(rings) == len(facts.workspace.inventory.regions)
    # a ring is 98 across, and 60 below it are for the name and what is open
    assert not [(a, b) for a, b in combinations(rings, 2) if abs(a[0] - b[0]) < 98 and abs(a[1] - b[1]) < 98 + 50]
    width, height = float(picture.get("width", "")), float(picture.get("height", ""))
    assert all(49 <= x <= width - 49 and 49 <= y <= height - 100 for x, y in rings)


def test_the_map_tells_what_is_late_in_words_too(store: Store) -> None:
    late = sum(line.due == "late" and line.region == "511902" for line in primary_lines(ground(store).known.summary))
    assert late
    assert f"逾期 {late}、" in draw_map(ground(store))


@pytest.mark.parametrize("root", FIVE, ids=lambda root: "bazhong-2008" if root == ROOT else root.name)
def test_english_tables_and_signatures_hold_no_chinese_but_clauses(silent: Store, root: Path) -> None:
    from_ = ground(silent, "en", read(root), looks_back=False)
    for document in (build_progress(from_), build_overdue(from_), build_circular(from_, JULY, Letterhead())):
        cells = {cell_text(cell) for grid in document.grids for row in grid.rows for cell in row}
        clauses = {text for text in cells if re.fullmatch("[一二三四五六七八九十附件、（）()0-9]+", text)}
        signed = {block.body for block in document.blocks if isinstance(block, Signature)}
        assert [text for text in (cells | signed) - clauses if re.search("[\u4e00-\u9fff]", text)] == []


@pytest.mark.usefixtures("require_fonts")
def test_the_wide_list_of_late_lines_lies_on_its_side_in_every_file(store: Store) -> None:
    document = build_overdue(ground(store))
    [section] = open_docx(io.BytesIO(write_report_docx(document))).sections
    assert section.page_width > section.page_height
    sheets = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", write_report_pdf(ROOT, document))
    assert sheets
    assert all(float(width) > float(height) for width, height in sheets)


def test_every_sheet_of_a_workbook_says_which_table_it_is(store: Store) -> None:
    book = load_workbook(io.BytesIO(write_report_xlsx(build_progress(ground(store)))))
    titles = [str(sheet["A1"].value) for sheet in book.worksheets[1:]]
    assert len(set(titles)) == len(titles)
    assert titles[0] == "电子政务外网建设进度报告\n二、期限事项"


@pytest.mark.usefixtures("require_fonts")
def test_pictures_are_drawn_from_the_same_facts_to_the_same_bytes(store: Store) -> None:
    pictures = [block for block in build_progress(ground(store)).blocks if isinstance(block, Picture)]
    assert len(pictures) == 2
    for picture in pictures:
        ElementTree.fromstring(picture.svg)
        assert draw_png(picture.svg) == draw_png(picture.svg)
    counties = {region.name for region in root_workspace().inventory.regions.values()}
    assert all(name in pictures[0].svg for name in counties)


def test_the_signature_never_stands_alone_and_the_template_fits(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"templates/reports/report\.typ: report template"):
        write_report_pdf(tmp_path, build_overdue(ground(store)))
    broken = tmp_path / "templates" / "reports" / "report.typ"
    broken.parent.mkdir(parents=True)
    broken.write_text("#nothing-of-the-kind", encoding="utf-8")
    if FONTS.is_dir():
        with pytest.raises(RenderError, match="Mend the template"):
            write_report_pdf(tmp_path, build_overdue(ground(store)))
    document = open_docx(io.BytesIO(write_report_docx(build_circular(ground(store, looks_back=False), JULY, Letterhead()))))
    texts = [paragraph.text for paragraph in document.paragraphs]
    begin, end = texts.index("三、下一步要求"), texts.index("巴中市人民政府办公室")
    assert all(paragraph.paragraph_format.keep_with_next for paragraph in document.paragraphs[begin : end + 1])


def test_a_circular_is_numbered_at_the_outer_edge_and_signed_with_room_for_the_seal(store: Store) -> None:
    document = open_docx(io.BytesIO(write_report_docx(build_circular(ground(store, looks_back=False), JULY, Letterhead()))))
    odd, even = (footer.paragraphs[0] for footer in (document.sections[0].footer, document.sections[0].even_page_footer))
    assert document.settings.odd_and_even_pages_header_footer
    assert (odd.alignment, even.alignment) == (WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.LEFT)
    assert all('w:instr="PAGE"' in each._p.xml and each.text.strip("— ") in ("", "1") for each in (odd, even))
    issuer, day = (each for each in document.paragraphs if each.alignment == WD_ALIGN_PARAGRAPH.RIGHT)
    letter = document.styles["Report Body"].font.size
    assert (issuer.text, day.text) == ("巴中市人民政府办公室", "二〇〇八年七月二日")
    assert day.paragraph_format.right_indent == 4 * letter
    assert 0 <= issuer.paragraph_format.right_indent <= day.paragraph_format.right_indent


def test_the_sheet_of_sentences_is_as_wide_as_a_page_and_shows_every_line(store: Store) -> None:
    front = load_workbook(io.BytesIO(write_report_xlsx(build_circular(ground(store, looks_back=False), JULY, Letterhead())))).worksheets[0]
    assert front.column_dimensions["A"].width <= 90
    for row in range(1, front.max_row + 1):
        text, size = str(front.cell(row, 1).value), float(front.cell(row, 1).font.size)
        wide = sum(2 if ord(sign) > 0x2E7F else 1 for sign in text) * size / 11
        assert front.row_dimensions[row].height >= 1.2 * size * wide / front.column_dimensions["A"].width


# At the command line


@pytest.fixture(scope="module")
def waiwang(place: Path, store: Store) -> CommandLine:
    return CommandLine(place, {"WAIWANG_ROOT": str(ROOT), "WAIWANG_DATABASE_URL": f"sqlite:///{place / 'waiwang.db'}"})


def test_an_office_file_needs_a_name_and_a_name_says_the_format(waiwang: CommandLine, place: Path) -> None:
    nameless = waiwang("report", "overdue", "--format", "docx")
    assert (nameless.code, "-o FILE.docx" in nameless.err) == (2, True)
    by_name = waiwang("report", "overdue", "--as-of", "2008-07-02", "-o", "list.xlsx")
    assert (by_name.code, by_name.out) == (6, "")
    assert (place / "list.xlsx").read_bytes().startswith(b"PK")


def test_json_and_csv_hold_the_rows_of_the_report(waiwang: CommandLine) -> None:
    asked = ("report", "progress", "--as-of", "2008-07-02", "--format")
    told = waiwang(*asked, "json").json
    assert told["as_of"] == "2008-07-02T15:59:59.999999+00:00"
    assert told["learnt_later"] == []
    [whole] = [row for row in told["rows"] if row["by"] == "whole"]
    assert (whole["total"], whole["done"], whole["late"]) == (told["totals"]["lines"], told["totals"]["done"], told["totals"]["late"])
    assert {each["milestone"]: each["state"] for each in told["milestones"]}["lines"] == "late"
    rows = waiwang(*asked, "csv").out.splitlines()
    assert rows[0] == "by,key,name,total,done,done_late,late,not_proven,at_risk,failed,days_early"
    assert len(rows) == len(told["rows"]) + 1


def test_a_period_ends_the_report_and_one_to_come_is_refused(waiwang: CommandLine) -> None:
    june = waiwang("report", "circular", "--period", "2008-06", "--format", "json")
    assert (june.code, june.json["as_of"]) == (0, "2008-06-30T15:59:59.999999+00:00")
    early = waiwang("report", "circular", "--period", "2008-Q3", "--as-of", "2008-06-30")
    assert (early.code, early.out) == (2, "")
    assert early.err.splitlines()[0] == (
        "error command line: the period had not begun: expected a moment from 2008-07-01 on; found 2008-06-30T23:59+08:00. "
        "Name a period that has begun by then."
    )
    wrong = waiwang("report", "circular", "--period", "June")
    assert (wrong.code, "`--period` is no period: expected a month such as 2008-05, or a quarter" in wrong.err) == (2, True)


def test_a_subject_that_the_table_does_not_rank_is_named(waiwang: CommandLine) -> None:
    ended = waiwang("report", "scores", "--subject", "region:511999")
    assert (ended.code, "the table ranks no such subject" in ended.err) == (2, True)


def test_progress_of_a_rollout_that_nobody_measured_exits_with_seven(tmp_path: Path) -> None:
    alone = CommandLine(tmp_path, {"WAIWANG_ROOT": str(ROOT), "WAIWANG_DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}"})
    assert alone("report", "progress", "--language", "en").code == 7


def test_a_report_of_now_and_the_same_moment_looked_back_at_later_agree(store: Store) -> None:
    then, later = (replace(ground(store, looks_back=False)) for _ in range(2))
    assert build_progress(then) == build_progress(later)
    june = build_circular(ground(store, at=JUNE.ends_at(root_workspace().order.timezone), looks_back=False), JUNE, Letterhead())
    assert "逾期未完成\n　　没有逾期未完成的线路。" in plain(june)
