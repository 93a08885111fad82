"""tenfold simulate: tables for people and for programs. The formulas have unit tests."""

import csv
import io
import json
import re

import numpy as np
import pytest

import launch
import run_files
from tenfold_tool import V1, refused, said


def rows(*arguments):
    return {int(row["ranks"]): row for row in csv.DictReader(io.StringIO(said("simulate", "--csv", *arguments)))}


def test_the_table_fits_a_terminal_and_says_what_it_assumes():
    out = said("simulate", "-p", "7e9", "--mixed", "--step", "1s", "--net", "5us,40GB/s,1.5TB/s",
               "--node", "8,2.5us,250GB/s")
    assert max(map(len, out.splitlines())) <= 80
    assert "7.00G parameters in 1 gradient" in out and "nodes of 8 ranks: 2.5 us, 250.0 GB/s" in out
    assert re.search(r"^ +4096 +750 +709 ", out, re.M)  # 14 GB: engineering notes, section e
    assert re.search(r"^ +8 .* 112.0 GB +38.5 GB$", out, re.M)
    assert "one every 00:18:58, 5.3% of the time lost" in out
    assert len(re.findall(r"^ +\d+ ", out, re.M)) == 26


def test_numbers_for_programs():
    found = rows("-p", "1e6", "--net", "1e-6,1e-9", "--ranks", "1,4", "--step", "0.01", "--shards", "4")
    assert float(found[1]["step_seconds"]) == 0.01 and float(found[1]["ring_seconds"]) == 0
    assert float(found[4]["ring_seconds"]) == pytest.approx(6e-6 + 1.5 * 4e6 * 1e-9)
    assert float(found[4]["doubling_seconds"]) == pytest.approx(2 * (1e-6 + 4e-3))
    assert float(found[4]["ordered_seconds"]) == pytest.approx(6e-6 + 5 * 0.75 * 4e-3)
    assert found[4]["step_sum"] == "rabenseifner"
    assert float(found[4]["step_seconds"]) == pytest.approx(0.01 + 4e-6 + 6e-3)
    assert found[4]["memory_bytes"] == "16000000" and found[4]["zero1_memory_bytes"] == "10000000"


def test_models_from_tables_and_checkpoints(tmp_path):
    (tmp_path / "p.csv").write_text("name,shape\nlayer0.weight,400x17\nlayer0.bias,400\n")
    assert f"7.20k parameters in 1 gradient of {tmp_path / 'p.csv'}" in said("simulate", "-m", tmp_path / "p.csv")
    # run-v1: 3-16-16-1 and 4-16-16-1 with biases.
    actor, critic = 3 * 16 + 16 + 16 * 16 + 16 + 16 + 1, 4 * 16 + 16 + 16 * 16 + 16 + 16 + 1
    for path in (V1, V1 / "checkpoint" / "step-000000000800"):
        out = said("simulate", "-m", path)
        assert f"{actor + critic} parameters in 2 gradients" in out
    (tmp_path / "bad.csv").write_text("name,shape\nx,4by4\n")
    refused(3, ["simulate", "-m", tmp_path / "bad.csv"], "bad.csv:2", "NAME,SHAPE")
    (tmp_path / "empty.csv").write_text("name,shape\n")
    refused(3, ["simulate", "-m", tmp_path / "empty.csv"], "no parameters")


def test_a_measured_run_foretells_its_step(tmp_path):
    path = tmp_path / "one"
    done = launch.run("ddpg", ["--task", "pendulum", "--actor-net", "16x16", "--critic-net", "16x16", "--batch", "32",
                               "--total-steps", "240", "--start-steps", "160", "--replay", "2000", "--eval-every", "0",
                               "--eval-episodes", "1", "--horizon", "60", "--metrics-every", "8", "--run-dir", path], 1)
    assert done.code == 0, done.err
    import h5py
    with h5py.File(next(path.glob("metrics/*.h5"))) as file:
        measured = np.median(file["metrics/perf/update_seconds/value"])
    found = rows("--from", path, "--net", "1e-6,1e-9", "--ranks", "1,2", "--syncs", "1")
    assert float(found[1]["step_seconds"]) == pytest.approx(measured)
    assert found[2]["step_sum"] == "ordered"
    bytes_of = 4 * (353 + 369)  # actor and critic
    extra = 2 * 2e-6 + 9 * 0.5 * bytes_of * 1e-9 + 1e-6
    assert float(found[2]["step_seconds"]) == pytest.approx(measured + extra)


MISTRAL = {"model_type": "mistral", "vocab_size": 32000, "hidden_size": 4096, "num_hidden_layers": 32,
           "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 14336,
           "hidden_act": "silu", "max_position_embeddings": 32768, "rms_norm_eps": 1e-5, "rope_theta": 1e4}


def test_memory_of_a_language_model(tmp_path):
    """7 241 732 096 parameters, and rows of the notes' table (mcts_dpo.md, section 10)."""
    (tmp_path / "config.json").write_text(json.dumps(MISTRAL))
    out = said("simulate", "--language-model", tmp_path, "--learn-type", "bfloat16", "--decode-type", "bfloat16",
               "--zero1", "--decay", "--recompute", "--ranks", "1,8")
    for name, one, eight in (("parameters", 29.0, 29.0), ("bfloat16 copy", 14.5, 14.5), ("gradients", 29.0, 29.0),
                             ("Adam's moments", 57.9, 7.2), ("weight decay", 29.0, 3.6), ("reference", 14.5, 14.5),
                             ("decoder's copy", 14.5, 14.5), ("keys and values", 20.0, 20.0)):
        assert re.search(rf"^  {name} +{one} +{eight}$", out, re.M), (name, out)
    all_of_it, gpu = (re.search(rf"^  {name} +([0-9.]+) +([0-9.]+)$", out, re.M) for name in ("all", "all, of a GPU"))
    exchange = re.search(r"^  exchange of gradients +([0-9.]+) +([0-9.]+)$", out, re.M)
    for column in (1, 2):
        assert float(all_of_it[column]) - float(gpu[column]) == pytest.approx(float(exchange[column]), abs=0.11)
    refused(2, ["simulate", "--language-model", tmp_path, "--learn-type", "half"], "--learn-type half")


def test_what_it_cannot_do_is_said(tmp_path):
    refused(2, ["simulate"], "--parameters, --model and --from")
    refused(2, ["simulate", "-p", "5", "-m", V1], "one of")
    refused(2, ["simulate", "-p", "0"], "--parameters", "'0'")
    refused(2, ["simulate", "-p", "1", "--net", "fast"], "--net", "ALPHA,BETA")
    refused(2, ["simulate", "-p", "1", "--net", "5us,fast"], "--net", "'fast'")
    refused(2, ["simulate", "-p", "1", "--ranks", "4..1"], "--ranks")
    refused(2, ["simulate", "-p", "1", "--stall", "0"], "above 0")
    refused(3, ["simulate", "--from", V1], "ran on 2 ranks")
    refused(3, ["simulate", "--from", run_files.make_run(tmp_path / "a", world_size="1")], "perf/update_seconds")
