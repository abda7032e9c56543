"""What a training run is made of: optimiser, schedule, checkpoints, progress."""

import json
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import torch
from torch import distributed, nn
from tqdm import tqdm

from .model import Config, Decoder
from .muon import Muon

Item = TypeVar("Item")

MAX_STEP_SECONDS = 30.0  # seconds on the clock


def device_of(name: str) -> torch.device:
    """The device to train on. Under `torchrun`, joins the other processes and takes this one's GPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if name == "cuda" else "gloo")
    if name == "cuda":
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(name)
    return torch.device(name)


def rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Means over the processes of a `torchrun`; nothing to do in a single process."""
    if not distributed.is_initialized():
        return
    for p in parameters:
        if p.grad is not None:
            distributed.all_reduce(p.grad)
            p.grad /= distributed.get_world_size()


def slowest(seconds: float) -> float:
    """The slowest process's seconds, so that all of them agree on the clock."""
    if not distributed.is_initialized():
        return seconds
    worst = torch.tensor([seconds], device="cuda" if torch.cuda.is_available() else "cpu")
    distributed.all_reduce(worst, distributed.ReduceOp.MAX)
    return worst.item()


@dataclass
class Optimiser:
    """Muon (Jordan et al. 2024) for the matrices of the layers, AdamW for embedding and norms."""

    parts: list[torch.optim.Optimizer]
    base: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.base = [g["lr"] for p in self.parts for g in p.param_groups]

    def step(self, scale: float) -> None:
        for group, base in zip((g for p in self.parts for g in p.param_groups), self.base):
            group["lr"] = base * scale
        for part in self.parts:
            part.step()
            part.zero_grad(set_to_none=True)

    def state(self) -> list[dict]:
        return [p.state_dict() for p in self.parts]

    def load(self, state: list[dict]) -> None:
        for part, saved in zip(self.parts, state):
            part.load_state_dict(saved)


def optimiser(module: nn.Module, muon: float, adam: float) -> Optimiser:
    matrices = [p for n, p in module.named_parameters() if p.ndim == 2 and "embedding" not in n]
    others = [p for n, p in module.named_parameters() if not (p.ndim == 2 and "embedding" not in n)]
    parts = [Muon(matrices, lr=muon, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw")]
    return Optimiser([*parts, torch.optim.AdamW(others, lr=adam, betas=(0.9, 0.98), weight_decay=0.0)])


def schedule(done: float, warmup: float = 0.02, decay: float = 0.4, floor: float = 0.02) -> float:
    """Learning-rate factor at the fraction `done` of the run: linear warm-up, plateau, linear decay (WSD)."""
    if done < warmup:
        return max(done / warmup, 0.01)
    if done < 1 - decay:
        return 1.0
    return floor + (1 - floor) * max(0.0, (1 - done) / decay)


@dataclass
class Run:
    """A training run on disk: `state.pt` (atomic, every few minutes), `log.jsonl`, and the clock of the work done."""

    folder: Path
    budget: float  # seconds of training in all
    wall: float = math.inf  # seconds that this process may take, compilation included
    every: float = 180.0
    device: torch.device = torch.device("cpu")
    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    started: float = field(default_factory=time.monotonic)
    saved: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.begin()
        self.bar = tqdm(
            disable=rank() > 0,
            total=round(self.budget),
            unit="s",
            desc=self.folder.name,
            mininterval=0.5 if sys.stderr.isatty() else 30,
        )

    @property
    def done(self) -> float:
        return min(1.0, self.seconds / self.budget)

    @property
    def going(self) -> bool:
        """False when the budget is spent, or this process's time is over: the same command goes on from there."""
        # Processes of a torchrun must agree, and their clocks differ by a little.
        return self.done < 1 and slowest(time.monotonic() - self.started) < self.wall

    def now(self) -> float:
        """A clock of the work done: on a CPU the time that the processor spent on it, so that what else the machine
        does
        costs a run nothing of its budget, and arms that run at different hours are given the same."""
        return time.process_time() if self.device.type == "cpu" else time.monotonic()

    def begin(self) -> None:
        """A step begins: what came before, a validation or a checkpoint, is not on the clock."""
        self.mark = self.now()

    def advance(self, tokens: int, **figures: float) -> None:
        """A step is done. One that took long was compiled, or suspended: it counts for MAX_STEP_SECONDS at most."""
        threads = torch.get_num_threads() if self.device.type == "cpu" else 1
        elapsed = slowest(min((self.now() - self.mark) / threads, MAX_STEP_SECONDS))
        self.step += 1
        self.tokens += tokens
        self.seconds += elapsed
        shown = " ".join(f"{k} {v:.3f}" for k, v in figures.items())
        self.bar.set_postfix_str(f"step {self.step} {tokens / max(elapsed, 1e-9):.0f} tok/s {shown}", refresh=False)
        self.bar.update(round(self.seconds) - self.bar.n)
        if self.step % 10 == 0:
            self.log(**figures)

    def log(self, **figures: float) -> None:
        if rank() > 0:
            return
        row = {"step": self.step, "seconds": round(self.seconds, 1), "tokens": self.tokens, **figures}
        with (self.folder / "log.jsonl").open("a") as out:
            out.write(json.dumps(row) + "\n")

    def due(self) -> bool:
        return time.monotonic() - self.saved > self.every

    def save(self, **state) -> None:
        self.saved = time.monotonic()
        if rank() > 0:
            return
        path = self.folder / "state.pt"
        clock = {"step": self.step, "seconds": self.seconds, "tokens": self.tokens}
        torch.save({**state, "clock": clock}, path.with_suffix(".tmp"))
        os.replace(path.with_suffix(".tmp"), path)

    def resume(self) -> dict | None:
        path = self.folder / "state.pt"
        if not path.exists():
            return None
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.step, self.seconds, self.tokens = (state["clock"][k] for k in ("step", "seconds", "tokens"))
        return state


def prefetch(make: Callable[[], Item], depth: int = 4) -> Callable[[], Item]:
    """The items that `make` makes, made by a thread of its own while the device computes; in the same order."""
    ready: queue.Queue = queue.Queue(depth)

    def work() -> None:
        while True:
            try:
                ready.put((make(), None))
            except BaseException as problem:  # noqa: BLE001 (raised again where the item is wanted)
                ready.put((None, problem))
                return

    threading.Thread(target=work, daemon=True).start()

    def take() -> Item:
        item, problem = ready.get()
        if problem is not None:
            raise problem
        return item

    return take


def load_decoder(path: Path, vocabulary: int | None = None) -> tuple[Decoder, dict]:
    """Decoder and whole state of a run, of its state.pt or of the bundle in a folder. `vocabulary`: the size of the
    tokenizer
    that it is to be used with."""
    if path.is_dir():
        from .bundle import state_of

        state = state_of(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    # States of before may have fields that are gone.
    decoder = Decoder(
        Config(**{name: value for name, value in state["config"].items() if name in Config.__dataclass_fields__})
    )
    if vocabulary not in (None, decoder.config.vocabulary):
        raise SystemExit(
            f"{path}: vocabulary {decoder.config.vocabulary}, but the tokenizer has {vocabulary} tokens; "
            "give the one of that run (--tokenizer)"
        )
    decoder.load_state_dict(state["decoder"])
    return decoder, state


def inherited(state: dict) -> dict:
    """What a run hands on of the state that it starts from: what its weights were made of before (a bundle)."""
    return {key: state[key] for key in ("origin",) if key in state}


def bits(nats: float) -> float:
    return nats / math.log(2)
