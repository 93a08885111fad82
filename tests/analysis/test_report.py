"""report and page: one file that needs no network, says everything, escapes everything."""

import base64
import html.parser
import json
import os
import re

import pytest
from PIL import Image

import run_files
from tenfold_analysis import page, report
from tenfold_analysis.tenfold_h5 import read_run
import pandas as pd

SVG_NAMES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # names, never fetched


class Page(html.parser.HTMLParser):
    """Open elements must close in order; collects ids, references and text."""

    VOID = {"meta", "br", "img", "link", "hr"}

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.tags, self.text = [], [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        self._look(attributes)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self._look(attributes)

    def _look(self, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "xlink:href", "data", "action"):
                self.links.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def self_contained(text, media=0):
    """With so many pictures and films in it; what they are is part of the page."""
    found = Page(text)
    assert set(re.findall(r"https?://[^\s\"'<>)]+", text)) <= SVG_NAMES
    inside = [link for link in found.links if re.match(r"data:(image|video)/[a-z0-9]+;base64,", link)]
    assert len(inside) == media == found.tags.count("img") + found.tags.count("video")
    assert all(link.startswith("#") for link in found.links if link not in inside)
    assert not {"script", "link", "iframe", "object"} & set(found.tags)
    assert "@import" not in text and not re.search(r"url\((?!#)", text)
    assert len(found.ids) == len(set(found.ids))
    return found


def make(path, **manifest):
    config = {"task.task": ("cartpole_swingup", "command line"), "train.total-steps": ("4000", "x.cfg:7"),
              "learning.tau": ("0.001", "default")}
    run_files.make_run(path, **manifest)
    run_files.write_manifest(path, config, **manifest)
    run_files.make_checkpoint(path, 4000)
    (path / "logs" / "rank-00000.log").write_text("the last words\n")
    return path


def test_report_of_one_run_is_self_contained_and_says_everything(tmp_path, capsys):
    path = make(tmp_path / "a", git_commit="0123abc", hosts="node1,node1", cpu_capability="AVX2",
                app_summary="what it is", paper="Someone, 2016")
    assert report.main([str(path)]) == 0
    assert capsys.readouterr().out == f"wrote {path / 'report.html'}\n"
    found = self_contained((path / "report.html").read_text())
    for words in ("what it is", "Someone, 2016", "finished", "4,000 of 4,000", "00:00:40", "random policy",
                  "cartpole_swingup", "command line", "x.cfg:7", "All 3 options",
                  "ddpg --task cartpole_swingup", "0123abc", "node1,node1", "AVX2", "1.10.8",
                  "the beginning", "step-000000004000", "the last words", "Is Q right?", "eval/return"):
        assert words in found.text, words
    assert found.tags.count("svg") == 5  # main, calibration, two panels, speed


def test_everything_from_a_run_is_escaped(tmp_path):
    evil = '<script>alert("x")</script>'
    path = make(tmp_path / "a", run_id=evil, app_summary=evil, command_line=evil)
    (path / "logs" / "rank-00000.log").write_text(evil)
    text = report.render(read_run(path))
    self_contained(text)
    assert "<script" not in text and text.count("&lt;script&gt;") >= 4


def test_a_run_that_has_written_nothing_yet(tmp_path):
    run_files.write_manifest(tmp_path / "a")
    found = self_contained(report.render(read_run(tmp_path / "a")))
    assert "There is no metric to draw yet." in found.text and "killed" in found.text


def test_a_family_without_figures_of_its_own(tmp_path):
    found = self_contained(report.render(read_run(make(tmp_path / "a", app="newcomer"))))
    assert "Is Q right?" not in found.text and "eval/q_vs_return" in found.text


def test_damage_is_said_on_the_page_and_on_stderr(tmp_path, capsys):
    path = make(tmp_path / "a")
    (path / "metrics" / "seg-0001.h5").write_bytes(b"no")
    assert report.main([str(path)]) == 0
    assert "seg-0001.h5 skipped" in capsys.readouterr().err
    found = self_contained((path / "report.html").read_text())
    assert "seg-0001.h5 skipped" in found.text and "cannot be read" in found.text


def test_comparison_of_runs_lands_in_their_common_folder(tmp_path, capsys):
    for seed in (1, 2, 3):
        make(tmp_path / "runs" / f"s{seed}", seed=str(seed))
    assert report.main([str(tmp_path / "runs")]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'runs' / 'comparison.html'}\n"
    found = self_contained((tmp_path / "runs" / "comparison.html").read_text())
    for words in ("Comparison of 3 runs", "s1", "s2", "s3", "What differs"):
        assert words in found.text
    out = tmp_path / "two.html"
    assert report.main([str(tmp_path / "runs" / "s1"), str(tmp_path / "runs" / "s2"),
                        str(tmp_path / "runs" / "s1"), "--out", str(out)]) == 0
    assert "Comparison of 2 runs" in out.read_text()


def test_the_curve_alone_as_a_picture(tmp_path, capsys):
    path = make(tmp_path / "a")
    png, svg = tmp_path / "new" / "curve.png", tmp_path / "curve.svg"
    assert report.main([str(path), "--curve", str(png)]) == 0
    assert png.read_bytes().startswith(b"\x89PNG") and png.stat().st_size < 150_000
    assert report.main([str(path), "--curve", str(svg)]) == 0 and "cartpole_swingup" in svg.read_text()
    assert not (path / "report.html").exists()
    capsys.readouterr()
    assert report.main([str(path), "--curve", str(tmp_path / "curve.tiff9")]) == 4
    assert "curve.tiff9" in capsys.readouterr().err
    run_files.write_manifest(tmp_path / "empty")
    assert report.main([str(tmp_path / "empty"), "--curve", str(png)]) == 3
    assert "no evaluation" in capsys.readouterr().err


def test_exit_codes_and_messages(tmp_path, capsys):
    assert report.main([str(tmp_path / "none")]) == 3
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "does not exist" in error and "--run-dir" in error
    assert report.main([str(tmp_path)]) == 3
    path = make(tmp_path / "a")
    (tmp_path / "file").touch()
    capsys.readouterr()
    assert report.main([str(path), "--out", str(tmp_path / "file" / "x.html")]) == 4
    assert "--out" in capsys.readouterr().err
    for wrong in ([], ["--frob", str(path)]):
        with pytest.raises(SystemExit) as left:
            report.main(wrong)
        assert left.value.code == 2


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    target = tmp_path / "report.html"
    target.write_text("old")
    monkeypatch.setattr(os, "getpid", lambda: 7)
    (tmp_path / "report.html.7.tmp").mkdir()
    with pytest.raises(OSError):
        report.write_page(target, "new")
    assert target.read_text() == "old"


def test_page_pieces_escape_text():
    evil = "<b>&\"'"
    frame = pd.DataFrame([[evil]], columns=[evil])
    for text in (page.paragraph(evil), page.warning(evil), page.heading(evil), page.facts([(evil, evil)]),
                 page.table(frame), page.details(evil, ""), page.preformatted([evil]),
                 page.legend([(evil, "#000", True)]), page.figure("", evil)):
        assert "<b>&" not in text.replace("<b>&lt;", "") and "&lt;b&gt;&amp;" in text
    assert "<title>&lt;b&gt;" in page.page(evil, [])
    assert page.table(pd.DataFrame()) == page.paragraph("none")


def film(path, content=b"\x00film", **changes):
    facts = {"schema": "tenfold-film", "schema_version": 1, "task": "pendulum <b>", "step": 60000,
             "returns": [410.25, 390.75], "sheet_seconds": [0.0, 2.5, 20.0], "video": "film.mp4", "sheet": "film.png",
             **changes}
    (path / "film.json").write_text(json.dumps(facts))
    Image.new("RGB", (8, 4), "red").save(path / "film.png")
    (path / "film.mp4").write_bytes(content)


def test_a_film_is_inside_the_page_with_what_it_shows(tmp_path):
    film(make(tmp_path / "run"))
    found = self_contained(report.render(read_run(tmp_path / "run")), media=2)
    picture, video = (link for link in found.links if link.startswith("data:"))
    assert base64.b64decode(picture.partition(",")[2]) == (tmp_path / "run" / "film.png").read_bytes()
    assert video.startswith("data:video/mp4;") and base64.b64decode(video.partition(",")[2]) == b"\x00film"
    for words in ("pendulum <b> after 60,000 decisions", "0.0, 2.5, 20.0 s", "410.2", "2 episodes", "400.5"):
        assert words in found.text, words


def test_a_film_that_is_too_large_is_named(tmp_path):
    film(make(tmp_path / "run"), content=bytes(8_000_001))
    found = self_contained(report.render(read_run(tmp_path / "run")), media=1)
    assert "film.mp4 in the run's folder" in found.text


@pytest.mark.parametrize("changes, words", [
    ({"schema_version": 2}, "version"), ({"sheet": "../film.png"}, "../film.png"), ({"sheet": "none.png"}, "sheet"),
    ({"video": "/etc/passwd"}, "/etc/passwd"), ({"returns": 3}, "film.json"), ({"step": "many"}, "many")])
def test_a_film_that_cannot_be_used_is_a_warning(tmp_path, changes, words):
    film(make(tmp_path / "run"), **changes)
    found = self_contained(report.render(read_run(tmp_path / "run")))
    assert words in found.text and "What the policy does" not in found.text
