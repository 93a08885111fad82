"""Search trees of a run of mcts_dpo as one HTML page that needs no network: every node can be opened and closed.

    python -m tenfold_analysis.tree_page RUN [--round N] [--question NUMBER|ID]... [--out FILE]

Without --question: a few trees of the round that gave pairs, then a few that committed to a wrong solution. `tenfold show
RUN --tree` draws the same in the terminal.
Exit codes: 0 done, 2 usage, 3 no run or no trees, 4 cannot write.
"""

from __future__ import annotations

import argparse
import sys
from html import escape
from pathlib import Path

import numpy as np

from . import page
from .tenfold_h5 import NotARun, Run, read_run
from .tree_h5 import FLAGS, NoTrees, Round, Tree, read_round, tree_files

_SHOWN = 3  # trees of each kind
STYLE = """
.tree { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-x: auto; white-space: nowrap; }
.tree details { margin: 0 0 0 1.1rem; } .tree > details { margin-left: 0; }
.tree .leaf { margin-left: 2.15rem; } .tree summary { color: inherit; }
.tree .step { font-weight: 600; white-space: pre; } .tree .path > .step, .tree .path > summary > .step { color: #00568a; }
.tree .n { opacity: 0.72; margin-left: 0.8rem; } .tree i { font-style: normal; border-radius: 3px; padding: 0 0.35rem;
  margin-left: 0.5rem; font-size: 0.85em; border: 1px solid currentColor; }
.tree .good { color: #00664b; } .tree .bad { color: #a63d00; } .tree .plain { color: #666; }
"""
DARK = """
@media (prefers-color-scheme: dark) {
  :root { color-scheme: dark; } body { background: #16181b; color: #e4e4e4; } h2 { border-color: #444; }
  p.note { color: #aaa; } summary { color: #7cc4f0; }
  .tree .path > .step, .tree .path > summary > .step { color: #7cc4f0; }
  .tree .good { color: #5fd3ac; } .tree .bad { color: #ff9a66; } .tree .plain { color: #aaa; }
}
"""


def _badge(kind: str, text: str) -> str:
    return f'<i class="{kind}">{escape(text)}</i>'


def _badges(tree: Tree, node: int) -> str:
    parts = []
    for row in np.flatnonzero(tree.pairs["winner"] == node):
        parts.append(_badge("good", f"winner, α {tree.pairs['alpha'][row]:.2f}, gap {tree.pairs['gap'][row]:.2f}"))
    if (tree.pairs["loser"] == node).any():
        parts.append(_badge("bad", "loser"))
    if node in tree.dropped:
        parts.append(_badge("plain", f"no pair below: {tree.dropped[node]}"))
    verdict = tree.verdicts[node]
    if verdict:
        parts.append(_badge("good" if verdict > 0 else "bad", "right" if verdict > 0 else "wrong"))
    elif tree.nodes["truth"][node] == 0:
        parts.append(_badge("bad", "wrong so far"))
    parts += [_badge("plain", word) for bit, word in FLAGS.items() if int(tree.nodes["flags"][node]) & bit]
    return "".join(parts)


def _line(tree: Tree, node: int) -> str:
    value = {name: column[node] for name, column in tree.nodes.items()}
    numbers = f"N {value['N']}"
    if node:
        numbers += f" · Q {value['Q']:+.2f} · p {value['prior']:.3f} · log π {value['log_prob']:.2f}"
    numbers += f" · V {value['V']:+.2f} · R {value['R']:+.2f} · C {value['C']:.2f}"
    text = tree.texts[node].strip("\n").replace("\n", "⏎ ") or "(empty)"
    return f'<span class="step">{escape(text)}</span>{_badges(tree, node)}<span class="n">{numbers}</span>'


def tree_html(tree: Tree) -> str:
    """The tree as nested <details>, those on the committed path open."""
    children = tree.children()
    parts: list[str] = []
    pending: list[int | str] = [0]
    while pending:  # no recursion: a tree may be deep
        node = pending.pop()
        if isinstance(node, str):
            parts.append(node)
            continue
        path = bool(tree.nodes["committed"][node])
        kind = "path" if path else "side"
        if not children[node]:
            parts.append(f'<div class="leaf {kind}">{_line(tree, node)}</div>')
            continue
        parts.append(f'<details class="{kind}"{" open" if path else ""}><summary>{_line(tree, node)}</summary>')
        pending.append("</details>")
        pending += reversed(children[node])
    return f'<div class="tree">{"".join(parts)}</div>'


def tree_section(tree: Tree) -> str:
    verdicts = tree.verdicts
    caption = (f"Question {tree.question} ({tree.id}), answer {tree.answer}: committed to a "
               f"{'right' if tree.right else 'wrong'} solution; {len(tree.texts)} nodes, {int((verdicts > 0).sum())} of "
               f"{int((verdicts != 0).sum())} solutions right, {len(tree.pairs['tree'])} pairs.")
    return page.paragraph(caption) + tree_html(tree)


def telling_rows(found: Round, most: int = _SHOWN) -> list[int]:
    """Trees worth a look: the first with pairs, then the first that went wrong."""
    with_pairs = list(dict.fromkeys(int(row) for row in found.pairs["tree"]))[:most]
    wrong = [int(row) for row in np.flatnonzero(found.trees["right"] == 0) if row not in with_pairs][:most]
    return with_pairs + wrong or list(range(min(most, len(found))))


def summary(found: Round) -> str:
    right = int(found.trees["right"].sum())
    text = f"{len(found)} trees, {right} committed to a right solution"
    if not found.round:
        return f"Evaluation by search: {text}."
    count = found.tally.get
    return (f"Round {found.round}, searched by the policy after {found.policy_updates} updates: {text}; "
            f"{count('kept', 0)} pairs. Left out: {count('wrong_path', 0)} trees whose path is wrong, "
            f"{count('only_child', 0)} nodes with one child, {count('small_gap', 0)} with too small a gap, "
            f"{count('over_limit', 0)} of trees with enough pairs, {count('too_long', 0)} too long.")


def render(run: Run, found: Round, rows: list[int]) -> str:
    body = [f"<style>{STYLE}{DARK}</style>", f"<h1>Search trees of {escape(run.run_id)}</h1>",
            page.paragraph(summary(found)),
            page.paragraph("Coloured steps are the committed path. N visits, Q value of the step, V of the state, R reward, "
                           "C self-evaluation, p prior, log π of the step's tokens.")]
    return page.page(f"Trees of {run.run_id}", body + [tree_section(found.tree(row)) for row in rows])


def report_parts(run: Run) -> list[str]:
    """What the report shows: trees of the first and the newest round that were kept."""
    files = tree_files(run.path)
    parts: list[str] = []
    for number in dict.fromkeys([*list(files)[:1], *list(files)[-1:]]):
        try:
            found = read_round(files[number])
        except NoTrees as error:
            parts.append(page.warning(str(error)))
            continue
        trees = "".join(tree_section(found.tree(row)) for row in telling_rows(found, 2))
        parts += [page.paragraph(summary(found)), page.details(f"Trees of round {number}" if number else "Trees", trees)]
    return [page.heading("Search trees"), f"<style>{STYLE}</style>", *parts] if parts else []


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tree_page", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", help="run directory")
    parser.add_argument("--round", type=int, help="the newest if not given; 0: of --mode evaluate")
    parser.add_argument("--question", action="append", default=[], metavar="NUMBER|ID", help="can be given several times")
    parser.add_argument("--out", type=Path, default=Path("trees.html"))
    chosen = parser.parse_args(arguments)
    try:
        run = read_run(chosen.run)
        files = tree_files(run.path)
        number = chosen.round if chosen.round is not None else max(files, default=0)
        if number not in files:
            raise NoTrees(f"{run.path} kept no trees of round {number}; kept: {', '.join(map(str, files)) or 'none'}")
        found = read_round(files[number])
        rows = [found.row_of(name) for name in chosen.question] or telling_rows(found)
        chosen.out.write_text(render(run, found, rows), encoding="utf-8")
    except (NotARun, NoTrees) as error:
        print(f"tree_page: {error}", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"tree_page: cannot write {chosen.out}: {error.strerror}", file=sys.stderr)
        return 4
    print(f"wrote {chosen.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
