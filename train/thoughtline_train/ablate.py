"""`ablate`: arms that differ from `base` in one thing, each trained from one decoder for the same computing time and
measured on the same files of validation owners; and the table of what was predicted and what came out.

An arm learns to read a thought from the beginning. What counts is the likelihood under T = 4, not its gap to z_0: a gap
grows when z_0 gets worse.
"""

import json
import math
import subprocess
import sys
from argparse import Namespace
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from .protocol import SHAPE, Protocol

BASE = "base"
MEASURED = ("T=0", "T=1", "T=4", "T=8", "shuffled T=4")


@dataclass(frozen=True)
class Arm:
    name: str
    question: str
    prediction: str
    options: dict


def read_arms(path: Path) -> list[Arm]:
    """The arms of a file {"base": {option: value}, "arms": [{"name", "question", "prediction", "options"}]}."""
    written = json.loads(path.read_text())
    known = {f.name for f in fields(Protocol)} | set(SHAPE)
    arms = [Arm(BASE, "", "", written["base"])]
    for row in written["arms"]:
        arms.append(Arm(row["name"], row["question"], row["prediction"], written["base"] | row["options"]))
    for arm in arms:
        if unknown := sorted(set(arm.options) - known):
            raise SystemExit(f"{path}: {arm.name}: no option {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return arms


def ablate(options: Namespace, arms: list[Arm]) -> None:
    """Trains and measures the arms that have no result yet, then prints the table of all that have one."""
    if unknown := set(options.only or ()) - {arm.name for arm in arms}:
        raise SystemExit(f"--only {' '.join(sorted(unknown))}: no such arm in {options.arms}")
    for arm in arms:
        if options.only and arm.name not in options.only or result_of(options.run, arm).exists():
            continue
        train(options, arm)
        result_of(options.run, arm).write_text(json.dumps(measure(options, arm)) + "\n")
    print(markdown(arms, options.run))


def result_of(run: Path, arm: Arm) -> Path:
    return run / arm.name / "result.json"


def train(options: Namespace, arm: Arm) -> None:
    """In a process of its own, so that arms share nothing but the start."""
    shared = [f"--{name}={getattr(options, name)}" for name in ("cache", "tokenizer", "device", "threads", "seed")]
    differs = [f"--{name.replace('_', '-')}={value}" for name, value in arm.options.items()]
    words = ["think", f"--run={options.run / arm.name}", f"--start-from={options.start_from}", f"--minutes={options.minutes}", *differs]
    done = subprocess.run([sys.executable, "-m", "thoughtline_train", *map(str, shared), *words])
    if done.returncode != 0:
        raise SystemExit(f"{arm.name}: failed with {done.returncode}; what it says is above")


def measure(options: Namespace, arm: Arm) -> dict:
    """Nats by file under each thought, over whole windows, with what it cost."""
    from .report import evaluate

    shape = {"chunks": 8, "chunk": 128, "length": 512, "suffix_limit": 128}
    state = options.run / arm.name / "state.pt"
    scores = evaluate(options.cache, options.tokenizer, "validation", state, None, options.files, 8, shape, options.device)
    log = [json.loads(line) for line in (options.run / arm.name / "log.jsonl").read_text().splitlines()]
    nats = {name: scores.nats[(name, "all")] for name in MEASURED}
    last = log[-1]
    return {"nats": nats, "tokens": scores.tokens["all"], "bytes": scores.bytes["all"], "steps": last["step"], "seen": last["tokens"]}


def markdown(arms: list[Arm], run: Path) -> str:
    results = {arm.name: json.loads(path.read_text()) for arm in arms if (path := result_of(run, arm)).exists()}
    out = [
        "| arm | question | prediction | steps | z_0 | T=1 | T=4 | T=8 | other repository's | bits per byte at T=4 | T=4 minus base's |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for arm in arms:
        if arm.name not in results:
            continue
        result = results[arm.name]
        nats = {name: np.array(values) for name, values in result["nats"].items()}
        tokens = np.array(result["tokens"])
        means = " | ".join(f"{nats[name].sum() / tokens.sum():.3f}" for name in MEASURED)
        bits = nats["T=4"].sum() / math.log(2) / sum(result["bytes"])
        gap = "" if arm.name == BASE or BASE not in results else difference(result, results[BASE])
        out.append(f"| {arm.name} | {arm.question} | {arm.prediction} | {result['steps']} | {means} | {bits:.4f} | {gap} |")
    return "\n".join(out)


def difference(result: dict, base: dict) -> str:
    """Paired over the files, in nats per token, with the standard error of the mean."""
    tokens = np.array(result["tokens"])
    gap = (np.array(result["nats"]["T=4"]) - np.array(base["nats"]["T=4"])) / tokens
    return f"{gap.mean():+.4f} ± {gap.std(ddof=1) / math.sqrt(len(gap)):.4f}"
