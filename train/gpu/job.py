"""The training of a bundle on a lent GPU: one command a call, each call short, each going on where the last one ended.

    python train/gpu/job.py pack --plan base --train 0 1  here: shards and tokenizer into train/gpu/payload (not committed)
    python train/gpu/job.py run --plan base --minutes 9 --out DIR     on the GPU machine, until it says that all is done
    python train/gpu/job.py unpack --parts DIR… --run DIR             here: weights and logs of the parts that came back

`run` works off the stages of its plan in order. What a stage leaves in `train/gpu/work` stays on the machine between calls.
At the end of each call, the weights as they are go to --out in parts under 16 MiB, at most four of them, each part once.
`tokenise` does the first stage alone: another plan's training leaves the processor time for it.
"""

import argparse
import io
import json
import math
import multiprocessing
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
TRAIN = HERE.parent
CACHE = Path.home() / ".cache" / "thoughtline"
PART, PARTS_A_CALL = 15_500_000, 4
STAGES = ("pretrain", "think", "plain")

# Minutes are computing time of a stage, over all calls. `base` and `nano` together are made for the 15 minutes of one GPU
# that are lent at a time, in two calls: the second finishes what the first has begun of `nano`. The latent stage is what the
# rate falls over: `pretrain` ends at nearly its full rate. One that `shrinks` makes do with what its call leaves it.
# `toy` runs the same script on a CPU.
WINDOW = {"length": 1024, "suffix": 256}
THINK = {"shrinks": True, "chunks": 10, "chunk": 128, "windows": 3, "muon": 0.003, "adam": 0.0014, "decay": 1}
REPORT = {"files": 240, "batch": 40, "chunks": 12, "chunk": 128}
PLANS = {
    "base": {
        "vocabulary": 16384,
        "shape": {
            "width": 512, "layers": 10, "trunk-layers": 3, "heads": 8, "kv-heads": 4, "hidden": 1408, "thought-vectors": 8,
        },
        "window": WINDOW,
        "pretrain": {"minutes": 4.8, "batch": 96, "muon": 0.004, "adam": 0.002, "decay": 0.05},
        "think": {"minutes": 1.8, "batch": 24, **THINK},
        "report": REPORT,
        "reserve": 0.7,
    },
    "nano": {
        "start": "models/nano",
        "window": WINDOW,
        "pretrain": {"minutes": 2.2, "batch": 128, "muon": 0.004, "adam": 0.002, "decay": 0.05},
        "think": {"minutes": 1.6, "batch": 32, **THINK},
        "report": REPORT,
        "reserve": 0.4,
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
        "reserve": 0.003,
    },
}  # fmt: skip


class OutOfTime(Exception):
    """This call's minutes are spent; the next call goes on."""


class Job:
    def __init__(self, plan: str, payload: Path, work: Path, out: Path, minutes: float, device: str):
        self.plan, self.payload, self.out, self.device = PLANS[plan], payload, out, device
        self.work = work / plan
        self.deadline = time.monotonic() + minutes * 60
        self.cache = self.work / "corpus"
        self.start = TRAIN.parent / self.plan["start"] if "start" in self.plan else None
        self.tokenizer = (self.start or payload) / "tokenizer.json"
        self.cache.mkdir(parents=True, exist_ok=True)
        self.log = (self.work / "job.log").open("a", buffering=1)

    def left(self) -> float:
        """Minutes left of this call."""
        return (self.deadline - time.monotonic()) / 60

    def say(self, text: str) -> None:
        print(text, flush=True)
        self.log.write(text + "\n")

    # ------------------------------------------------------------ stages

    def tokenise(self) -> None:
        """Every shard of the payload that is not packed yet, a process each; further shards may come with a later call."""
        from thoughtline_train import data

        done, begun = self.work / "shards.json", time.monotonic()
        packed: list[str] = json.loads(done.read_text()) if done.exists() else []
        fresh = [path for path in sorted(self.payload.glob("*.jsonl.xz")) if path.name not in packed]
        missing = {"train", "validation", "test"} - {name.rsplit("-", 1)[0] for name in [*packed, *(path.name for path in fresh)]}
        if missing:
            raise SystemExit(f"{self.payload}: no shard of {', '.join(sorted(missing))}; run `job.py pack` first")
        if not fresh:
            return
        with ProcessPoolExecutor(min(len(fresh), os.cpu_count() or 1), multiprocessing.get_context("spawn")) as pool:
            encoded = list(pool.map(data.encode_shard, fresh, [self.tokenizer] * len(fresh)))
        for split in ("train", "validation", "test"):
            data.extend(self.cache, split, [e for path, e in zip(fresh, encoded) if path.name.startswith(f"{split}-")])
        done.write_text(json.dumps([*packed, *(path.name for path in fresh)]))
        tokens = sum(len(stream) for stream, _ in encoded)
        self.say(f"{len(fresh)} shards: {tokens / 1e6:.1f} M tokens in {time.monotonic() - begun:.0f} s")

    def stage(self, name: str, command: str, *words: object) -> None:
        """A training stage as a command of the package, with what is left of this call as its wall time."""
        run, options = self.work / name, dict(self.plan[name])
        if (run / "done").exists():
            return
        reserve = self.plan["reserve"]  # for the last validation, saving, the report and delivery
        if self.left() < 2 * reserve:
            raise OutOfTime
        begun, minutes, wall = time.monotonic(), options.pop("minutes"), self.left() - reserve
        if options.pop("shrinks", False):
            minutes = min(minutes, wall)
        options |= self.plan["window"] | {"minutes": minutes}
        self.package(command, "--run", run, *(f"--{k}={v}" for k, v in options.items()), "--wall", wall, *words)
        clock = load(run / "state.pt")["clock"]
        self.say(f"{name}: {clock} after {time.monotonic() - begun:.0f} s more")
        if clock["seconds"] < 0.97 * minutes * 60:
            raise OutOfTime
        (run / "done").touch()

    def beginning(self) -> list[object]:
        """What `pretrain` starts from: nothing, of the plan's shape, or the plan's bundle."""
        if self.start is None:
            return [f"--{k}={v}" for k, v in self.plan["shape"].items()]
        state = self.work / "start" / "state.pt"
        if not state.exists():
            self.package("init-from", self.start, "--run", state.parent)
        return ["--start-from", state]

    def report(self) -> None:
        if "report" not in self.plan or (self.work / "report.json").exists():
            return
        if self.left() < self.plan["reserve"] / 2:
            raise OutOfTime
        options = [f"--{k}={v}" for k, v in (self.plan["report"] | self.plan["window"]).items()]
        arms = ["--state", self.work / "think/state.pt"]
        if "plain" in self.plan:
            arms += ["--plain", self.work / "plain/state.pt"]
        self.package("report", *arms, *options, "--out", self.work / "report.json")

    def package(self, *words: object) -> None:
        shared = ["--cache", self.cache, "--tokenizer", self.tokenizer, "--device", self.device]
        command = [sys.executable, "-m", "thoughtline_train", *map(str, shared), *map(str, words)]
        environment = {**os.environ, "PYTHONPATH": str(TRAIN), "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}
        for attempt in ({}, {"TORCH_COMPILE_DISABLE": "1"}):  # a machine without a compiler trains more slowly, but it trains
            done = subprocess.run(command, env=environment | attempt)
            if done.returncode == 0:
                return
            self.say(f"{words[0]}: failed with {done.returncode}; what it says is above")
        raise SystemExit(1)

    # ------------------------------------------------------------ delivery

    def deliver(self) -> bool:
        """Logs at every call; the weights as far as they are trained, in parts. True when all parts of them have been sent."""
        self.out.mkdir(parents=True, exist_ok=True)
        with tarfile.open(self.out / "logs.tar.gz", "w:gz") as tar:
            for path in sorted([*self.work.glob("*/log.jsonl"), *self.work.glob("*.json"), self.work / "job.log"]):
                tar.add(path, path.relative_to(self.work))
        states = [self.work / name / "state.pt" for name in ("think", "pretrain")]
        newest = next((path for path in states if path.exists()), None)
        if newest is None:
            return False
        state = load(newest)
        title = f"weights-{STAGES.index(newest.parent.name)}-{state['clock']['step']:07d}"
        packed, sent = self.work / title, self.work / f"{title}.sent"
        if not packed.exists():
            packed.write_bytes(compact(state))
        size = packed.stat().st_size
        first = int(sent.read_text()) if sent.exists() else 0
        count = math.ceil(size / PART)
        last = min(count, first + PARTS_A_CALL)
        with packed.open("rb") as weights:
            for part in range(first, last):
                weights.seek(part * PART)
                (self.out / f"{title}.{part:02d}-of-{count:02d}").write_bytes(weights.read(PART))
        sent.write_text(str(last))
        if last > first:
            self.say(f"{title}: parts {first} to {last - 1} of {count} delivered")
        return last == count

    def run(self) -> bool:
        """Works until all is done or the time of this call is over. True when nothing is left to do."""
        finished = False
        try:
            self.tokenise()
            self.stage("pretrain", "pretrain", *self.beginning())
            for name, command, *words in (("think", "think", "--eager"), ("plain", "pretrain")):
                if name in self.plan:
                    self.stage(name, command, "--start-from", self.work / "pretrain/state.pt", *words)
            self.report()
            finished = True
        except OutOfTime:
            pass
        finally:
            delivered = self.deliver()
        self.say("all is done" if finished and delivered else "not finished: call again")
        return finished and delivered


def load(state: Path) -> dict:
    import torch

    return torch.load(state, map_location="cpu", weights_only=True)


def compact(state: dict) -> bytes:
    """A state without its optimiser, the decoder in bfloat16, its exponents deflated: 11 bits a weight, where float16 takes 16.

    A weight's sign and its 7 bits of fraction look random; its exponent takes few of its 256 values."""
    import torch

    words = torch.cat([w.flatten() for w in state["decoder"].values()]).bfloat16().view(torch.int16).int() & 0xFFFF
    exponents, rest = ((words >> 7) & 0xFF).to(torch.uint8), ((words >> 15 << 7) | (words & 0x7F)).to(torch.uint8)
    deflated = torch.frombuffer(bytearray(zlib.compress(exponents.numpy().tobytes(), 6)), dtype=torch.uint8)
    shapes = {name: list(w.shape) for name, w in state["decoder"].items()}
    kept = {k: state[k] for k in ("thought", "config", "clock", "origin") if k in state}
    out = io.BytesIO()
    torch.save({**kept, "shapes": shapes, "exponents": deflated, "rest": rest}, out)
    return out.getvalue()


def whole(packed: bytes) -> dict:
    """The state that `compact` made small."""
    import torch

    state = torch.load(io.BytesIO(packed), map_location="cpu", weights_only=True)
    exponents = torch.frombuffer(bytearray(zlib.decompress(state.pop("exponents").numpy().tobytes())), dtype=torch.uint8).int()
    rest, shapes = state.pop("rest").int(), state.pop("shapes")
    words = (rest >> 7 << 15) | (exponents << 7) | (rest & 0x7F)
    weights = words.to(torch.int16).view(torch.bfloat16).float().split([math.prod(shape) for shape in shapes.values()])
    return {**state, "decoder": {name: w.view(shape) for (name, shape), w in zip(shapes.items(), weights)}}


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
    """Joins the parts of all calls: RUN/state.pt of the weights that were trained longest, logs and report beside it."""
    import torch

    parts = {p.name: p for folder in folders for p in sorted(folder.glob("weights-*-of-*"))}
    newest = max((name.split(".")[0] for name in parts), default=None)
    if newest is None:
        raise SystemExit(f"{', '.join(map(str, folders))}: no weights-*-of-* there; give the folders that the calls wrote to")
    names = sorted(name for name in parts if name.startswith(newest))
    missing = int(names[0].rsplit("-", 1)[1]) - len(names)
    if missing:
        raise SystemExit(f"{newest}: {missing} of its parts are missing; give the folders of all calls")
    run.mkdir(parents=True, exist_ok=True)
    state = whole(b"".join(parts[name].read_bytes() for name in names))
    torch.save(state, run / "state.pt")
    for folder in folders:
        if (folder / "logs.tar.gz").exists():
            with tarfile.open(folder / "logs.tar.gz") as tar:
                tar.extractall(run, filter="data")
    print(f"{run}: {sum(w.numel() for w in state['decoder'].values()) / 1e6:.1f} M weights, {newest}, from {len(names)} parts")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("pack", "tokenise", "run"):
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
            command.add_argument("--out", type=Path, required=name == "run")
            command.add_argument("--minutes", type=float, default=9, help="wall time of this call")
            command.add_argument("--device", default="auto")
    command = commands.add_parser("unpack")
    command.add_argument("--parts", type=Path, nargs="+", required=True, help="what each call left in its --out")
    command.add_argument("--run", type=Path, required=True)
    options = parser.parse_args()
    sys.path.insert(0, str(TRAIN))
    if options.command == "pack":
        pack(options.plan, options.cache, options.shards, options.train, options.tokenizer, options.payload)
    elif options.command == "unpack":
        unpack(options.parts, options.run)
    else:
        job = Job(options.plan, options.payload, options.work, options.out, options.minutes, options.device)
        if options.command == "run":
            job.run()
        else:
            job.tokenise()


if __name__ == "__main__":
    main()
