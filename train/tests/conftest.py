"""A tiny corpus, tokenizer and decoder, made once by the package itself; every test of the rest uses them."""

import io
import json
import os
import random
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

# Compiling would take longer than all tests together; it is set before torch is imported anywhere.
os.environ.setdefault("TORCH_COMPILE_DISABLE", "1")
# At these sizes a second thread mostly waits for the first.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from thoughtline_train import __main__ as command
from thoughtline_train import corpus, data, tokenizer
from thoughtline_train.corpus import build

TRAIN = Path(__file__).resolve().parent.parent
WORDS = (
    "account batch cursor device event filter graph handle index job kernel layout matrix node option packet query "
    "record signal token update vector window zone anchor buffer channel digest"
).split()
SIZES = ["--width", "32", "--layers", "3", "--heads", "2", "--kv-heads", "1", "--hidden", "64"]


def owner_in(split: str, index: int = 0) -> str:
    """The index-th owner of some names that belongs to a split."""
    names = (f"owner{i}" for i in range(10_000))
    return [name for name in (next(names) for _ in range(2000)) if corpus.split_of(name) == split][index]


def tarball(path: Path, meta: dict, files: dict[str, str | bytes]) -> Path:
    """An npm tarball: package.json and files under package/. Source distributions of PyPI are laid out alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in {"package.json": json.dumps(meta), **files}.items():
            raw = content if isinstance(content, bytes) else content.encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(raw)
            tar.addfile(member, io.BytesIO(raw))
    return path


def program(seed: str, functions: int = 14) -> str:
    """TypeScript in which a few names recur."""
    rng = random.Random(seed)
    a, b, c, d = rng.sample(WORDS, 4)
    title = a.capitalize() + b.capitalize()
    lines = [
        f"import {{ {title} }} from './{a}';",
        "",
        f"export interface {title}Options {{",
        f"  {c}: number;",
        "}",
        "",
    ]
    for _ in range(functions):
        verb = rng.choice(("read", "write", "merge", "drop", "find"))
        lines += [
            f"export function {verb}{title}({c}: {title}, {d}: number): {title} {{",
            f"  const {b} = {c}.{verb}({d} + {rng.randrange(9)});",
            f"  if ({b}.{a} > {d}) {{",
            f"    return {b}.{rng.choice((a, c, d))}({c});",
            "  }",
            f"  return {c};",
            "}",
            "",
        ]
    return "\n".join(lines)


@dataclass(frozen=True)
class Tiny:
    """Folders of a tiny run of the whole pipeline."""

    root: Path
    cache: Path
    tokenizer: Path

    def argv(self, *words: str) -> list[str]:
        shared = ["--cache", str(self.cache), "--tokenizer", str(self.tokenizer), "--device", "cpu"]
        return [*shared, *map(str, words)]

    def run(self, *words: str) -> None:
        """The command line of the package, in this process."""
        before, sys.argv = sys.argv, ["thoughtline_train", *self.argv(*words)]
        try:
            command.main()
        finally:
            sys.argv = before

    def split(self, name: str) -> data.Split:
        return data.Split(self.cache, name, data.newline_tokens(self.tokenizer))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Tiny:
    """A corpus of 16 packages, split, tokenised and packed."""
    root = tmp_path_factory.mktemp("tiny")
    cache = root / "corpus"
    owners = [owner_in("train", i) for i in range(10)] + [owner_in("validation", i) for i in range(3)]
    owners += [owner_in("test", i) for i in range(3)]
    packages = []
    for number, owner in enumerate(owners):
        name = f"package-{number}"
        files = {
            f"src/{part}{i}.ts": program(f"{number} {i // 2}", 8 + i) for i, part in enumerate(("a", "b", "c", "d"))
        }
        if number == 0:
            files["src/view.svelte"] = program("svelte")
        tarball(cache / "tarballs" / f"{name}-1.0.0.tgz", {"name": name, "license": "MIT"}, files)
        packages.append({"name": name, "version": "1.0.0", "licence": "MIT", "owner": owner})
    manifest = root / "manifest.json"
    manifest.write_text(json.dumps({"packages": packages}))
    build.build([manifest], cache, 3_000_000, 9_000_000)
    path = root / "tokenizer" / "tokenizer.json"
    tokenizer.train((row["text"] for row in corpus.read(cache, "train")), 700, path)
    for split in ("train", "validation", "test", "withheld"):
        data.pack(cache, path, split)
    return Tiny(root, cache, path)


@pytest.fixture(scope="session")
def pretrained(tiny) -> Path:
    """state.pt of a few seconds of language modelling."""
    folder = tiny.root / "pretrain"
    tiny.run("pretrain", "--run", folder, "--minutes", 0.04, "--batch", 8, "--length", 96, "--suffix", 24, *SIZES)
    return folder / "state.pt"


@pytest.fixture(scope="session")
def bundle(tiny, pretrained):
    """The folder that `export` writes; it fails by itself if ONNX Runtime and PyTorch differ by more than 1e-3."""
    out = tiny.root / "bundle"
    tiny.run(
        "export", "--state", pretrained, "--out", out, "--name", "tiny", "--window", 96, "--suffix", 24, "--hop", 16,
        "--chunk", 48, "--runs", pretrained.parent, "--trunk-layers", 1, "--after", TRAIN.parent / "models" / "nano",
        "--note", "Then they were left alone.",
    )  # fmt: skip
    return out
