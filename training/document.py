"""A report as headings, paragraphs, tables and pictures, written as Markdown and as one HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """body{font:15px/1.5 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1c2330}
h2{margin-top:2.5rem;border-bottom:1px solid #d5dae3}table{border-collapse:collapse;margin:1rem 0;font-size:.9rem}
th,td{padding:.25rem .6rem;border-bottom:1px solid #e6e9ef;text-align:left;vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
img{max-width:100%;height:auto}"""


@dataclass(frozen=True, slots=True)
class Heading:
    """Level 1 is the title."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows; floats are shown with three digits, None as an empty cell."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A file beside the report, and what it shows."""

    file: str
    text: str


Block = Heading | Paragraph | Table | Picture


def markdown(blocks: Sequence[Block]) -> str:
    """The report as Markdown."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def html(blocks: Sequence[Block]) -> str:
    """The report as an HTML page that needs nothing but the pictures beside it."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "")
    body = "\n".join(_html(block) for block in blocks)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def cell(value: object) -> str:
    """A value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) > 1 else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _markdown(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {text}"
        case Paragraph(text):
            return text
        case Picture(file, text):
            return f"![{text}]({file})"
        case Table(columns, rows):
            lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
            lines += [f"| {' | '.join(_in_one_line(cell(value)) for value in row)} |" for row in rows]
            return "\n".join(lines)


def _html(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{escape(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"
        case Picture(file, text):
            return f'<p><img src="{escape(file)}" alt="{escape(text)}"></p>'
        case Table(columns, rows):
            numeric = [all(value is None or isinstance(value, int | float) for value in column) for column in zip(*rows, strict=True)]
            numeric = numeric or [False] * len(columns)
            head = "".join(f"<th{_right(right)}>{escape(name)}</th>" for name, right in zip(columns, numeric, strict=True))
            lines = [
                "".join(f"<td{_right(right)}>{escape(cell(value))}</td>" for value, right in zip(row, numeric, strict=True)) for row in rows
            ]
            body = "\n".join(f"<tr>{line}</tr>" for line in lines)
            return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>"


def _right(numeric: bool) -> str:
    return ' class="n"' if numeric else ""


def _in_one_line(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
