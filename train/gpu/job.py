"""The training of a bundle on a lent GPU: one command a call, each call short, each going on where the last one ended.

    python train/gpu/job.py pack --plan base --train 0  here: shards and tokenizer into train/gpu/payload (not committed)
    python train/gpu/job.py run --plan base --minutes 9 --out DIR     on the GPU machine, until it says that all is done
    python train/gpu/job.py unpack --parts DIR… --run DIR             here: weights and logs of the parts that came back

`run` works off the stages below in order. What a stage leaves in `train/gpu/work` stays on the machine between calls.
At the end of each call, what is finished goes to --out in parts under 16 MiB, at most four of them, each part once.
"""

import argparse
import io
import json
import math
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TRAIN = HERE.parent
CACHE = Path.home() / ".cache" / "thoughtline"
PART, PARTS_A_CALL = 15_500_000, 4

# Minutes are computing time of a stage, over all calls. `base` is made for one H200 and 30 minutes of it in all: 23 of
# training, the rest for its start, tokenising, compiling and the report. `toy` runs the same script on a CPU.
PLANS = {
    "base": {
        "vocabulary": 16384,
        "shape": {
            "width": 512, "layers": 12, "trunk-layers": 4, "heads": 8, "kv-heads": 4, "hidden": 1408, "thought-vectors": 8,
        },
        "window": {"length": 1024, "suffix": 256},
        "pretrain": {"minutes": 11, "batch": 96, "muon": 0.004, "adam": 0.002},
        "think": {"minutes": 6, "batch": 48, "chunks": 10, "chunk": 128, "windows": 3, "muon": 0.002, "adam": 0.0007},
        "plain": {"minutes": 6, "batch": 96, "muon": 0.002, "adam": 0.0007},
        "report": {"files": 400, "batch": 16, "chunks": 12, "chunk": 128},
    },
    "toy": {
        "vocabulary": 700,
        "shape": {
            "width": 32, "layers": 3, "trunk-layers": 1, "heads": 2, "kv-heads": 1, "hidden": 64, "thought-vectors": 2,
        },
        "window": {"length": 96, "suffix": 24},
        "pretrain": {"minutes": 0.05, "batch": 8, "muon": 0.004, "adam": 0.002},
        "think": {"minutes": 0.03, "batch": 4, "chunks": 3, "chunk": 48, "windows": 2, "muon": 0.002, "adam": 0.0007},
        "plain": {"minutes": 0.03, "batch": 8, "muon": 0.002, "adam": 0.0007},
        "report": {"files": 8, "batch": 4, "chunks": 3, "chunk": 48},
    },
}  # fmt: skip


class OutOfTime(Exception):
    """This call's minutes are spent; the next call goes on."""


class Job:
    def __init__(self, plan: str, payload: Path, work: Path, out: Path, minutes: float, device: str):
        self.plan, self.payload, self.work, self.out, self.device = PLANS[plan], payload, work, out, device
        self.deadline = time.monotonic() + minutes * 60
        self.cache, self.tokenizer = work / "corpus", payload / "tokenizer.json"
        self.cache.mkdir(parents=True, exist_ok=True)
        self.log = (work / "job.log").open("a", buffering=1)

    def left(self) -> float:
        """Minutes left of this call."""
        return (self.deadline - time.monotonic()) / 60

    def say(self, text: str) -> None:
        print(text, flush=True)
        self.log.write(text + "\n")

    # ------------------------------------------------------------ stages

    def tokenise(self) -> None:
        """Every shard of the payload that is not packed yet; further shards may come with a later call."""
        from thoughtline_train import data
        from thoughtline_train.corpus import shards

        done = self.work / "shards.json"
        packed: list[str] = json.loads(done.read_text()) if done.exists() else []
        for path in sorted(self.payload.glob("*.jsonl.xz")):
            if path.name in packed:
                continue
            begun = time.monotonic()
            data.add(self.cache, self.tokenizer, path.name.rsplit("-", 1)[0], shards.lines(path))
            packed.append(path.name)
            done.write_text(json.dumps(packed))
            self.say(f"{path.name}: tokenised in {time.monotonic() - begun:.0f} s")
        missing = {"train", "validation", "test"} - {name.rsplit("-", 1)[0] for name in packed}
        if missing:
            raise SystemExit(f"{self.payload}: no shard of {', '.join(sorted(missing))}; run `job.py pack` first")

    def stage(self, name: str, command: str, *words: object) -> None:
        """A training stage as a command of the package, with what is left of this call as its wall time."""
        run = self.work / name
        if (run / "done").exists():
            return
        reserve = min(0.4, self.plan["pretrain"]["minutes"] / 20)  # for the last validation, saving and delivery
        if self.left() < 2 * reserve:
            raise OutOfTime
        begun = time.monotonic()
        options = [f"--{k}={v}" for k, v in (self.plan[name] | self.plan["window"]).items()]
        self.package(command, "--run", run, *options, "--wall", self.left() - reserve, *words)
        clock = load(run / "state.pt")["clock"]
        self.say(f"{name}: {clock} after {time.monotonic() - begun:.0f} s more")
        if clock["seconds"] < self.plan[name]["minutes"] * 60:
            raise OutOfTime
        (run / "done").touch()

    def report(self) -> None:
        if (self.work / "report.json").exists():
            return
        if self.left() < min(1.0, self.plan["pretrain"]["minutes"] / 10):
            raise OutOfTime
        options = [f"--{k}={v}" for k, v in (self.plan["report"] | self.plan["window"]).items()]
        arms = ["--state", self.work / "think/state.pt", "--plain", self.work / "plain/state.pt"]
        self.package("report", *arms, *options, "--out", self.work / "report.json")

    def package(self, *words: object) -> None:
        shared = ["--cache", self.cache, "--tokenizer", self.tokenizer, "--device", self.device]
        environment = {**os.environ, "PYTHONPATH": str(TRAIN)}
        done = subprocess.run(
            [sys.executable, "-m", "thoughtline_train", *map(str, shared), *map(str, words)], env=environment
        )
        if done.returncode != 0:
            raise SystemExit(f"{words[0]}: failed with {done.returncode}; what it says is above")

    # ------------------------------------------------------------ delivery

    def deliver(self) -> None:
        """Logs at every call; the weights in parts, each once, as soon as the latent stage is finished."""
        self.out.mkdir(parents=True, exist_ok=True)
        with tarfile.open(self.out / "logs.tar.gz", "w:gz") as tar:
            for path in sorted([*self.work.glob("*/log.jsonl"), *self.work.glob("*.json"), self.work / "job.log"]):
                tar.add(path, path.relative_to(self.work))
        if not (self.work / "think/done").exists():
            return
        packed = self.work / "weights.pt"
        if not packed.exists():
            slim(self.work / "think/state.pt", packed)
        size = packed.stat().st_size
        sent = self.work / "sent"
        first = int(sent.read_text()) if sent.exists() else 0
        count = math.ceil(size / PART)
        last = min(count, first + PARTS_A_CALL)
        with packed.open("rb") as whole:
            for part in range(first, last):
                whole.seek(part * PART)
                (self.out / f"weights.{part:02d}-of-{count:02d}").write_bytes(whole.read(PART))
        sent.write_text(str(last))
        if last > first:
            self.say(f"weights: parts {first} to {last - 1} of {count} delivered")

    def run(self) -> bool:
        """Works until all is done or the time of this call is over. True when nothing is left to do."""
        try:
            self.tokenise()
            self.stage("pretrain", "pretrain", *(f"--{k}={v}" for k, v in self.plan["shape"].items()))
            self.stage("think", "think", "--start-from", self.work / "pretrain/state.pt")
            self.stage("plain", "pretrain", "--start-from", self.work / "pretrain/state.pt")
            self.report()
            finished = True
        except OutOfTime:
            finished = False
        self.deliver()
        sent = self.work / "sent"
        delivered = sent.exists() and int(sent.read_text()) * PART >= (self.work / "weights.pt").stat().st_size
        self.say("all is done" if finished and delivered else "not finished: call again")
        return finished and delivered


def load(state: Path) -> dict:
    import torch

    return torch.load(state, map_location="cpu", weights_only=True)


def slim(state: Path, out: Path) -> None:
    """A state without its optimiser, the decoder in float16: what `export` and `report` need."""
    import torch

    whole = load(state)
    decoder = {k: v.half() for k, v in whole["decoder"].items()}
    torch.save({"decoder": decoder, **{k: whole[k] for k in ("thought", "config", "clock")}}, out)


def pack(plan: str, cache: Path, source: Path, train: list[int], tokenizer: Path | None, payload: Path) -> None:
    """Copies shards that `corpus shards` made, and the plan's tokenizer, trained if none is given, into the payload."""
    from thoughtline_train import corpus, tokenizer as t

    wanted = [*(f"train-{i:03}.jsonl.xz" for i in train), "validation-000.jsonl.xz", "test-000.jsonl.xz"]
    missing = [name for name in wanted if not (source / name).exists()]
    if missing:
        raise SystemExit(f"{source}: {', '.join(missing)} missing; run `corpus shards` first")
    kept = payload / "tokenizer.json"
    payload.mkdir(parents=True, exist_ok=True)
    for old in payload.glob("*.jsonl.xz"):
        old.unlink()
    for name in wanted:
        shutil.copy(source / name, payload)
    if tokenizer:
        shutil.copy(tokenizer, kept)
    elif not kept.exists():
        t.train(corpus.sample(cache, 48e6, 1), PLANS[plan]["vocabulary"], kept)
    files = sorted(payload.iterdir())
    for path in files:
        print(f"{path.name}: {path.stat().st_size / 2**20:.1f} MiB")
    print(f"{sum(path.stat().st_size for path in files) / 2**20:.1f} MiB in all")


def unpack(folders: list[Path], run: Path) -> None:
    """Joins the parts of all calls: RUN/state.pt (float16 weights), logs and report beside it."""
    parts = {p.name: p for folder in folders for p in sorted(folder.glob("weights.*-of-*"))}
    counts = {int(name.rsplit("-", 1)[1]) for name in parts}
    missing = [f"{i:02d}" for i in range(max(counts, default=1)) if not any(n.startswith(f"weights.{i:02d}-") for n in parts)]
    if missing or len(counts) > 1:
        raise SystemExit(f"parts {', '.join(missing)} of the weights are missing; give the folders of all calls")
    run.mkdir(parents=True, exist_ok=True)
    whole = io.BytesIO(b"".join(parts[name].read_bytes() for name in sorted(parts)))
    (run / "state.pt").write_bytes(whole.getvalue())
    for folder in folders:
        if (folder / "logs.tar.gz").exists():
            with tarfile.open(folder / "logs.tar.gz") as tar:
                tar.extractall(run, filter="data")
    print(f"{run}: {whole.getbuffer().nbytes / 1e6:.1f} MB of weights from {len(parts)} parts")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("pack", "run"):
        command = commands.add_parser(name)
        command.add_argument("--plan", choices=PLANS, default="base")
        command.add_argument("--payload", type=Path, default=HERE / "payload")
        if name == "pack":
            command.add_argument("--cache", type=Path, default=CACHE / "corpus", help="corpus to train the tokenizer on")
            command.add_argument("--shards", type=Path, default=CACHE / "shards", help="what `corpus shards` made")
            command.add_argument("--train", type=int, nargs="+", default=[0], help="numbers of the training shards to take")
            command.add_argument("--tokenizer", type=Path, help="one that is trained already")
        else:
            command.add_argument("--work", type=Path, default=HERE / "work")
            command.add_argument("--out", type=Path, required=True)
            command.add_argument("--minutes", type=float, default=9, help="wall time of this call")
            command.add_argument("--device", default="auto")
    command = commands.add_parser("unpack")
    command.add_argument("--parts", type=Path, nargs="+", required=True, help="what each call left in its --out")
    command.add_argument("--run", type=Path, required=True)
    options = parser.parse_args()
    sys.path.insert(0, str(TRAIN))
    if options.command == "pack":
        pack(options.plan, options.cache, options.shards, options.train, options.tokenizer, options.payload)
    elif options.command == "run":
        Job(options.plan, options.payload, options.work, options.out, options.minutes, options.device).run()
    else:
        unpack(options.parts, options.run)


if __name__ == "__main__":
    main()
