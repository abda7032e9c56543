"""`ablate`: groups of arms that differ from their `base` in one thing, each trained for the same computing time and
measured on the same files of validation owners; and the table of what was predicted and what came out.

Three kinds of group: arms that go on from a state that thinks; arms that learn to read a thought from the beginning,
since its shape is what differs; and arms of pre-training, from nothing. What counts is the likelihood (under T = 4),
not
its gap to z_0: a gap grows when z_0 gets worse.
"""

import json
import math
import subprocess
import sys
from argparse import Namespace
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch

from . import measure
from .model import Config
from .protocol import SHAPE, Protocol

BASE = "base"
START = "start"  # what the arms begin with, where it thinks already: measured, not trained
TOKENIZER = ("vocabulary", "spaces")  # options that take a tokenizer of their own
KNOWN = {
    "think": {f.name for f in fields(Protocol)} | {*SHAPE, "seed"},
    "pretrain": {f.name for f in fields(Config)} | {*TOKENIZER, "seed", "fim", "decay", "batch", "muon", "adam"},
}
COLUMNS = {
    "think": {"T=0": "z_0", "T=1": "T=1", "T=4": "T=4", "shuffled T=4": "other repository's"},
    "pretrain": {"text": "text"},
}  # what is measured, in nats per token: its heading
CHOSEN = {"think": "T=4", "pretrain": "text"}


@dataclass(frozen=True)
class Arm:
    name: str
    question: str
    prediction: str
    options: dict


@dataclass(frozen=True)
class Group:
    name: str
    command: str
    arms: list[Arm]  # base first
    tail: int  # only so many last tokens of a window are scored; 0: all


def read_groups(path: Path) -> list[Group]:
    """{"groups": [{"group", "command", "start", "base": {option: value}, "arms": [{"name", "question", "prediction",
    "options"}]}]}"""
    groups = []
    for written in json.loads(path.read_text())["groups"]:
        arms = [Arm(BASE, "", "", written["base"])]
        if written["command"] == "think" and not set(written["base"]) & set(SHAPE):
            arms.append(Arm(START, "no training", "", written["base"]))
        for row in written["arms"]:
            arms.append(Arm(row["name"], row["question"], row["prediction"], written["base"] | row["options"]))
        known = KNOWN[written["command"]]
        for arm in arms:
            if unknown := sorted(set(arm.options) - known):
                raise SystemExit(
                    f"{path}: {arm.name}: no option {', '.join(unknown)}; there are {', '.join(sorted(known))}"
                )
        groups.append(Group(written["group"], written["command"], arms, written.get("tail", 0)))
    return groups


def read_group(path: Path, name: str) -> Group:
    groups = {group.name: group for group in read_groups(path)}
    if name not in groups:
        raise SystemExit(f"--group {name}: no such group in {path}; there are {', '.join(groups)}")
    return groups[name]


def ablate(options: Namespace, group: Group) -> None:
    """Trains and measures the arms that have no result yet, then prints the table of all that have one."""
    if unknown := set(options.only or ()) - {arm.name for arm in group.arms}:
        raise SystemExit(f"--only {' '.join(sorted(unknown))}: no such arm in {options.arms}")
    if group.command == "think" and options.start_from is None:
        raise SystemExit(f"--group {group.name}: give the state that its arms begin with (--start-from)")
    for arm in group.arms:
        if (options.only is not None and arm.name not in options.only) or result_of(options.run, arm).exists():
            continue
        result_of(options.run, arm).parent.mkdir(parents=True, exist_ok=True)
        result_of(options.run, arm).write_text(json.dumps(train_and_measure(options, group, arm)) + "\n")
    print(markdown(group, options.run))


def result_of(run: Path, arm: Arm) -> Path:
    return run / arm.name / "result.json"


def train_and_measure(options: Namespace, group: Group, arm: Arm) -> dict:
    state = options.run / arm.name / "state.pt"
    if arm.name == START:
        state = options.start_from
    elif group.command == "think":
        train(options, "think", arm, f"--start-from={options.start_from}")
    if group.command == "think":
        found = measure.thoughts(options, state, arm.options, group.tail)
    else:
        folder = measure.corpus_of(options, **{name: arm.options[name] for name in TOKENIZER})
        own = Namespace(
            **vars(options) | {"corpus": options.cache, "cache": folder, "tokenizer": folder / "tokenizer.json"}
        )
        plain = {name: value for name, value in arm.options.items() if name not in TOKENIZER}
        train(own, "pretrain", replace(arm, options=plain))
        found = measure.language(own, state)
    clock = clock_of(options.run / arm.name / "state.pt")
    return {**found, "steps": clock["step"], "seen": clock["tokens"]}


def clock_of(state: Path) -> dict:
    """Steps, tokens and seconds of a run; all 0 before it has begun."""
    if not state.exists():
        return {"step": 0, "tokens": 0, "seconds": 0.0}
    return torch.load(state, map_location="cpu", weights_only=True)["clock"]


def train(options: Namespace, command: str, arm: Arm, *words: str) -> None:
    """In a process of its own, so that arms share nothing but the start. Does nothing where it has been done."""
    if clock_of(options.run / arm.name / "state.pt")["seconds"] >= options.minutes * 60:
        return
    shared = {name: getattr(options, name) for name in ("cache", "tokenizer", "device", "threads", "seed")}
    shared |= {name: arm.options[name] for name in ("seed",) if name in arm.options}
    differs = [f"--{name.replace('_', '-')}={value}" for name, value in arm.options.items() if name != "seed"]
    line = [f"--{name}={value}" for name, value in shared.items()]
    line += [command, f"--run={options.run / arm.name}", f"--minutes={options.minutes}", *words, *differs]
    done = subprocess.run([sys.executable, "-m", "thoughtline_train", *line])
    if done.returncode != 0:
        raise SystemExit(f"{arm.name}: failed with {done.returncode}; what it says is above")


def markdown(group: Group, run: Path) -> str:
    results = {arm.name: json.loads(path.read_text()) for arm in group.arms if (path := result_of(run, arm)).exists()}
    columns, chosen = COLUMNS[group.command], CHOSEN[group.command]
    out = [
        f"| {group.name} | question | prediction | steps | tokens, M "
        f"| {' | '.join(columns.values())} | bits per byte | minus base's |",
        "|---" * (len(columns) + 7) + "|",
    ]
    for arm in group.arms:
        if arm.name not in results:
            continue
        result = results[arm.name]
        means = " | ".join(f"{sum(result['nats'][name]) / sum(result['tokens']):.3f}" for name in columns)
        bits = sum(result["nats"][chosen]) / math.log(2) / sum(result["bytes"])
        gap = "" if arm.name == BASE or BASE not in results else difference(result, results[BASE], chosen)
        cost = f"{result['steps']} | {result['seen'] / 1e6:.2f}"
        out.append(f"| {arm.name} | {arm.question} | {arm.prediction} | {cost} | {means} | {bits:.4f} | {gap} |")
    return "\n".join(out)


def difference(result: dict, base: dict, chosen: str) -> str:
    """Paired over the files, in bits per byte, with the standard error of the mean."""
    own, other = (np.array(r["nats"][chosen]) / math.log(2) / np.array(r["bytes"]) for r in (result, base))
    gap = own - other
    return f"{gap.mean():+.4f} ± {gap.std(ddof=1) / math.sqrt(len(gap)):.4f}"
