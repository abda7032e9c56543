"""The GPU job from end to end on a CPU at a toy size, in calls that are too short for all of it."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import TRAIN

from thoughtline_train import corpus
from thoughtline_train.corpus import shards

JOB = TRAIN / "gpu" / "job.py"


@pytest.fixture(scope="module")
def job():
    spec = importlib.util.spec_from_file_location("job", JOB)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_toy_plan_runs_over_calls_and_its_weights_come_back_whole(tiny, tmp_path, job, monkeypatch):
    rows = {split: list(corpus.read(tiny.cache, split)) for split in ("train", "validation", "test")}
    shards.pack(rows, tmp_path / "shards", 30 * shards.MIB)
    payload, work, run = (tmp_path / name for name in ("payload", "work", "run"))
    job.pack("toy", tiny.cache, tmp_path / "shards", [0], tiny.tokenizer, payload)

    # Small parts, so that the weights need several calls to come back.
    monkeypatch.setattr(job, "PART", 20_000)
    outs = []
    for call in range(40):
        outs.append(tmp_path / f"out{call}")
        if job.Job("toy", payload, work, outs[-1], 0.6, "cpu").run():
            break
    else:
        pytest.fail("not finished after 40 calls")
    assert len(outs) > 1
    names = [p.name for out in outs for p in out.glob("weights-*")]
    assert len(names) == len(set(names)) > job.PARTS_A_CALL, "each part comes once"
    assert all(len(list(out.iterdir())) <= 8 for out in outs)
    for stage in ("pretrain", "think", "plain"):
        clock = torch.load(work / "toy" / stage / "state.pt", weights_only=True)["clock"]
        assert clock["seconds"] >= job.PLANS["toy"][stage]["minutes"] * 60

    job.unpack(outs, run)
    there, here = (torch.load(path, weights_only=True) for path in (work / "toy/think/state.pt", run / "state.pt"))
    assert set(here) == {"decoder", "thought", "config", "clock"}
    for name, weight in here["decoder"].items():
        assert torch.equal(weight, there["decoder"][name].bfloat16().float()), name
    assert {row["arm"] for row in json.loads((run / "report.json").read_text())} >= {"z_0", "T=4", "plain decoder"}
    assert (run / "think/log.jsonl").exists()

    next(outs[-1].glob("weights-*")).unlink()
    with pytest.raises(SystemExit, match="1 of its parts are missing"):
        job.unpack(outs, tmp_path / "part")
    with pytest.raises(SystemExit, match="no weights"):
        job.unpack([tmp_path], tmp_path / "part")


def test_the_command_says_what_is_missing(tmp_path):
    words = ["run", "--plan", "toy", "--payload", tmp_path, "--work", tmp_path / "w", "--out", tmp_path / "o"]
    done = subprocess.run([sys.executable, JOB, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 1 and "run `job.py pack` first" in done.stderr
