"""Runs as they happen: killed and resumed, and over two processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import SIZES, TRAIN

from thoughtline_train import loop

SHAPE = ["--batch", "4", "--length", "64", "--suffix", "16"]

# The command line of the package, with a checkpoint every few steps instead of every few minutes.
OFTEN = """
from thoughtline_train import __main__, loop
loop.Run.due = lambda run: run.step % 5 == 0
__main__.main()
"""

# Each process of a torchrun saves its own state.
EACH = """
import torch
from thoughtline_train import __main__, loop
def save(run, **state):
    torch.save({**state, "clock": (run.step, run.seconds)}, run.folder / f"rank{loop.rank()}.pt")
loop.Run.save = save
__main__.main()
"""


def environment() -> dict[str, str]:
    return {**os.environ, "TORCH_COMPILE_DISABLE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TRAIN)}


def rows_of(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def clock_of(run: Path) -> dict:
    return torch.load(run / "state.pt", weights_only=True)["clock"]


def test_a_killed_run_resumes_with_the_same_clock(tiny):
    run = tiny.root / "killed"
    minutes = 0.5
    words = tiny.argv("pretrain", "--run", run, "--minutes", minutes, *SHAPE, *SIZES)
    process = subprocess.Popen(
        [sys.executable, "-c", OFTEN, *words], env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not (run / "state.pt").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    clock = clock_of(run)
    before = len(rows_of(run)) if (run / "log.jsonl").exists() else 0
    assert clock["step"] >= 5 and 0 < clock["seconds"] < minutes * 60

    # The same command with a budget that is nearly spent: it goes on from there, and only to there.
    budget = clock["seconds"] + 0.3
    tiny.run("pretrain", "--run", run, "--minutes", budget / 60, *SHAPE, *SIZES)
    after = clock_of(run)
    assert after["step"] > clock["step"] and after["tokens"] > clock["tokens"]
    # The step that crosses the budget is the last one; no step counts for more than 40 s.
    assert budget <= after["seconds"] < budget + 40
    per_step = clock["tokens"] / clock["step"]
    assert after["tokens"] == pytest.approx(after["step"] * per_step)
    new = rows_of(run)[before:]
    assert all(row["step"] >= clock["step"] and row["seconds"] >= round(clock["seconds"], 1) for row in new)

    # A run whose budget is spent does no further step.
    tiny.run("pretrain", "--run", run, "--minutes", budget / 60, *SHAPE, *SIZES)
    assert clock_of(run)["step"] == after["step"]


def test_the_schedule_warms_up_stays_and_decays():
    factors = [loop.schedule(done / 1000) for done in range(1001)]
    assert factors[0] == pytest.approx(0.01) and factors[-1] == pytest.approx(0.02)
    assert factors[20:600] == [1.0] * 580
    assert factors[:21] == sorted(factors[:21]) and factors[600:] == sorted(factors[600:], reverse=True)


def test_a_run_continues_from_a_decoder(tiny, pretrained):
    run = tiny.root / "continued"
    tiny.run("pretrain", "--run", run, "--minutes", 0.002, "--start-from", pretrained, *SHAPE)
    state, start = (torch.load(path, weights_only=True) for path in (run / "state.pt", pretrained))
    assert state["config"] == start["config"]
    # A few steps away, not at another random beginning.
    moved = (state["decoder"]["embedding"] - start["decoder"]["embedding"]).norm() / start["decoder"][
        "embedding"
    ].norm()
    assert 0 < moved < 0.5


def test_two_processes_train_one_model(tiny):
    """`torchrun` with gloo: both see other data, and end with the same weights after the same number of steps."""
    run = tiny.root / "two"
    (tiny.root / "each.py").write_text(EACH)
    words = tiny.argv("pretrain", "--run", run, "--minutes", "0.015", *SHAPE, *SIZES)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launch, "--", str(tiny.root / "each.py"), *words],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = (torch.load(run / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first["clock"] == second["clock"] and first["clock"][0] > 0
    for name, weight in first["decoder"].items():
        assert torch.equal(weight, second["decoder"][name]), name
    steps = [row["step"] for row in rows_of(run)]
    assert steps == sorted(steps), "one process writes the log"
