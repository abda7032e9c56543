"""The corpus in shards for a GPU job: xz files of bounded size, read by Python's standard library alone.

Owners are drawn in an order of their hash, so that one shard is a fair sample of the split; the packages of one owner lie
side by side, within reach of the compressor's dictionary. A shard holds lines of JSON, one a file.
"""

import hashlib
import json
import lzma
from itertools import groupby
from pathlib import Path
from typing import Iterable, Iterator

MIB = 1 << 20
# lc=4, pb=0 suit text; the dictionary reaches over a whole shard; "extreme" at the longest match length.
FILTERS = [
    {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 256 * MIB, "lc": 4, "lp": 0, "pb": 0, "nice_len": 273}
]
# What the compressor may still hold back when a package has been written: it gives out blocks of up to 64 KiB.
SLACK = MIB // 2


def write(rows: Iterable[dict], split: str, folder: Path, size: int, most: int | None = None) -> list[dict]:
    """Packs rows into SPLIT-000.jsonl.xz … of at most `size` bytes; returns file, compressed and text bytes of each.

    `most`: so many shards, what does not fit into them is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{split}-*.jsonl.xz"):
        old.unlink()
    written: list[dict] = []
    shard = None
    for _, members in groupby(in_order(rows), key=lambda row: (row["owner"], row["package"])):
        package = list(members)
        text = sum(len(row["text"].encode()) for row in package)
        if shard is None or shard.compressed + text // 3 + min(SLACK, size // 4) > size:
            if shard:
                written.append(shard.close())
            if len(written) == most:
                return written
            shard = Shard(folder / f"{split}-{len(written):03}.jsonl.xz")
        shard.add(package, text)
    return written + ([shard.close()] if shard else [])


def in_order(rows: Iterable[dict]) -> list[dict]:
    """By a hash of the owner, then package and path."""

    def key(row: dict) -> tuple:
        return hashlib.sha256(b"shard " + row["owner"].encode()).digest(), row["owner"], row["package"], row["path"]

    return sorted(rows, key=key)


class Shard:
    def __init__(self, path: Path) -> None:
        self.path, self.file = path, path.open("wb")
        self.compressor = lzma.LZMACompressor(format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=FILTERS)
        self.compressed = self.text = self.files = 0

    def add(self, rows: list[dict], text: int) -> None:
        for row in rows:
            self.put(self.compressor.compress(json.dumps(row, ensure_ascii=False).encode() + b"\n"))
        self.files += len(rows)
        self.text += text

    def put(self, data: bytes) -> None:
        self.file.write(data)
        self.compressed += len(data)

    def close(self) -> dict:
        self.put(self.compressor.flush())
        self.file.close()
        return {"file": self.path.name, "bytes": self.compressed, "text": self.text, "files": self.files}


def few_of_each(rows: Iterable[dict], limit: int) -> Iterator[dict]:
    """The first files of every package, `limit` characters of each: neighbours stay together."""
    for _, members in groupby(rows, key=lambda row: (row["owner"], row["package"])):
        left = limit
        for row in members:
            if len(row["text"]) <= left:
                left -= len(row["text"])
                yield row


def with_share(rows: Iterable[dict], ending: str, most: float) -> list[dict]:
    """The rows, with so few packages of files that end so that these are at most a share `most` of all text.

    Packages are left out whole, in an order of their hash: what stays is a fair sample, and files keep their siblings.
    """
    kept = list(rows)
    sizes: dict[str, int] = {}
    for row in kept:
        if row["path"].endswith(ending):
            sizes[row["package"]] = sizes.get(row["package"], 0) + len(row["text"])
    room = (sum(len(row["text"]) for row in kept) - sum(sizes.values())) * most / (1 - most)
    taken: set[str] = set()
    for package in sorted(sizes, key=lambda name: hashlib.sha256(b"share " + name.encode()).digest()):
        if sizes[package] <= room:
            room -= sizes[package]
            taken.add(package)
    return [row for row in kept if not row["path"].endswith(ending) or row["package"] in taken]


def read(folder: Path, split: str) -> Iterator[dict]:
    """Rows of a split's shards."""
    paths = sorted(folder.glob(f"{split}-*.jsonl.xz"))
    if not paths:
        raise SystemExit(f"{folder}: neither {split}.jsonl.zst nor shards {split}-*.jsonl.xz; run `corpus build` first")
    for path in paths:
        yield from lines(path)


def lines(shard: Path) -> Iterator[dict]:
    """Rows of one shard."""
    with lzma.open(shard, "rt", encoding="utf-8", newline="\n") as rows:
        for row in rows:
            yield json.loads(row)


def pack(splits: dict[str, Iterable[dict]], folder: Path, size: int, most: int | None = None) -> list[dict]:
    """Packs splits of the corpus, `most` shards of each, and notes in shards.json what each shard holds."""
    rows = [row for split, content in splits.items() for row in write(content, split, folder, size, most)]
    (folder / "shards.json").write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:
        print(f"{row['file']:<28}{row['bytes'] / MIB:>8.1f} MiB{row['text'] / 1e6:>9.1f} MB of text in {row['files']} files", flush=True)
    return rows
