"""The report as one HTML page that needs no network: text, tables, and figures as inline SVG."""

from __future__ import annotations

import base64
from html import escape

import pandas as pd

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", Arial, sans-serif; color: #1c1c1c;
       background: #fff; max-width: 1120px; margin: 0 auto; padding: 1.2rem 1.2rem 4rem; }
h1 { font-size: 1.55rem; margin: 0.4rem 0 0; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 0.6rem; border-bottom: 1px solid #ddd; padding-bottom: 0.2rem; }
p.note, figcaption { color: #555; font-size: 0.87rem; margin: 0.2rem 0 0.8rem; }
.badge { font-size: 0.8rem; font-weight: 600; padding: 0.15rem 0.6rem; border-radius: 1rem;
         vertical-align: middle; border: 1px solid; }
.running { color: #00568a; background: #e5f2fa; } .finished { color: #00664b; background: #e3f4ee; }
.unknown { color: #555; background: #f0f0f0; }
.stopped { color: #7a5200; background: #fdf3dc; } .killed { color: #9c3d00; background: #fdebe0; }
.facts { display: flex; flex-wrap: wrap; gap: 0.6rem; margin: 1rem 0; }
.facts div { flex: 1 1 auto; white-space: nowrap; border: 1px solid #e2e2e2; border-radius: 6px; padding: 0.45rem 0.7rem; }
.facts span { display: block; color: #666; font-size: 0.78rem; }
.facts b { font-size: 1.1rem; font-variant-numeric: tabular-nums; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 0.6rem 1.2rem; }
figure { margin: 0; } figure svg { width: 100%; height: auto; display: block; }
figure.narrow { max-width: 520px; } figure img, figure video { max-width: 100%; display: block; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th { text-align: left; color: #555; font-weight: 600; }
th, td { padding: 0.18rem 0.9rem 0.18rem 0; border-bottom: 1px solid #eee; vertical-align: top;
         overflow-wrap: anywhere; }
tr.set td { font-weight: 600; }
details { margin: 0.6rem 0; } summary { cursor: pointer; color: #00568a; }
pre { background: #f6f6f6; padding: 0.6rem; overflow-x: auto; font-size: 0.8rem; border-radius: 4px; }
.warning { background: #fdf3dc; border-left: 4px solid #e69f00; padding: 0.4rem 0.8rem; margin: 0.6rem 0; }
.key { display: inline-block; width: 1.4rem; height: 0; border-top: 3px; vertical-align: middle;
       margin-right: 0.35rem; }
"""


def paragraph(text: str, kind: str = "note") -> str:
    return f'<p class="{kind}">{escape(text)}</p>'


def warning(text: str) -> str:
    return f'<div class="warning">{escape(text)}</div>'


def heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def facts(pairs: list[tuple[str, str]]) -> str:
    cells = "".join(f"<div><span>{escape(name)}</span><b>{escape(value)}</b></div>" for name, value in pairs)
    return f'<div class="facts">{cells}</div>'


def figure(svg: str, caption: str = "", kind: str = "") -> str:
    note = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="{kind}">{svg}{note}</figure>'


def media(kind: str, content: bytes, caption: str = "") -> str:
    """A picture or a film, inside the page. kind: "image/png", "video/mp4"."""
    source = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    element = (f'<video controls loop muted src="{source}"></video>' if kind.startswith("video/")
               else f'<img alt="" src="{source}">')
    return figure(element, caption)


def table(frame: pd.DataFrame, emphasised: list[bool] | None = None) -> str:
    """Every cell escaped; rows where emphasised is true stand out."""
    if frame.empty:
        return paragraph("none")
    head = "".join(f"<th>{escape(str(name))}</th>" for name in frame.columns)
    rows = []
    for index, row in enumerate(frame.itertuples(index=False)):
        kind = ' class="set"' if emphasised and emphasised[index] else ""
        rows.append(f"<tr{kind}>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def details(summary: str, body: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def preformatted(lines: list[str]) -> str:
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def legend(entries: list[tuple[str, str, bool]]) -> str:
    """(label, colour, dashed) for figures that share their colours."""
    marks = "".join(f'<span style="margin-right:1.2rem"><i class="key" style="border-top-style:'
                    f'{"dashed" if dashed else "solid"};border-top-color:{colour}"></i>{escape(label)}</span>'
                    for label, colour, dashed in entries)
    return f"<p>{marks}</p>"


def page(title: str, body: list[str]) -> str:
    return ("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
            + "\n".join(body) + "\n</body></html>\n")
