"""Token streams on disk, and the fill-in-the-middle windows cut from them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from . import corpus
from .tokenizer import END, FILE, PAD, PREFIX, SUFFIX, load, path_tail

IGNORE = -100


def encode(rows: Iterable[dict], tokenizer_path: Path, desc: str) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (uint16 where they fit, else uint32) and documents (one row a file, see `Split`) of the corpus's rows."""
    tokenizer = load(tokenizer_path)
    smallest = np.min_scalar_type(max(tokenizer.get_vocab_size() - 1, 2**16 - 1))
    documents, streams, offset = [], [np.empty(0, dtype=smallest)], 0
    packages: dict[str, int] = {}
    owners: dict[str, int] = {}
    for group in batched(tqdm(rows, unit="file", desc=desc, mininterval=1), 512):
        texts = tokenizer.encode_batch_fast([r["text"] for r in group])
        heads = tokenizer.encode_batch_fast([path_tail(r["path"]) for r in group])
        for row, text, head in zip(group, texts, heads):
            head_ids, ids = head.ids[:24], text.ids
            package = packages.setdefault(row["package"], len(packages))
            owner = owners.setdefault(row["owner"], len(owners))
            documents.append((offset, len(head_ids), len(ids), package, owner, len(row["text"].encode())))
            streams.append(np.array(head_ids + ids, dtype=smallest))
            offset += len(head_ids) + len(ids)
    return np.concatenate(streams), np.array(documents, dtype=np.int64).reshape(-1, 6)


def batched(rows: Iterable[dict], size: int) -> Iterator[list[dict]]:
    iterator = iter(rows)
    while group := list(islice(iterator, size)):
        yield group


def pack(cache: Path, tokenizer_path: Path, split: str, python: float = 1.0) -> None:
    """Encodes one split of the corpus, Python at most a share of it: SPLIT.tokens.npy and SPLIT.documents.npy."""
    rows = corpus.read(cache, split)
    if python < 1:
        rows = corpus.with_share(rows, ".py", python)
    write(cache, split, *encode(rows, tokenizer_path, split))
    (cache / "packed.json").write_text(json.dumps({"python": python}) + "\n")


def packed_share(cache: Path) -> float:
    """The share of Python that what is packed was held to."""
    path = cache / "packed.json"
    return json.loads(path.read_text())["python"] if path.exists() else 1.0


def write(cache: Path, split: str, tokens: np.ndarray, documents: np.ndarray) -> None:
    np.save(cache / f"{split}.tokens.npy", tokens)
    np.save(cache / f"{split}.documents.npy", documents)


class Split:
    """A packed split. `documents` columns: offset, head tokens, text tokens, package, owner, bytes of text."""

    def __init__(self, cache: Path, name: str, newlines: np.ndarray):
        self.tokens = np.load(cache / f"{name}.tokens.npy", mmap_mode="r")
        self.documents = np.load(cache / f"{name}.documents.npy")
        self.newline = newlines
        self.mass = np.cumsum(self.documents[:, 2]) / self.documents[:, 2].sum()

    def head(self, index: int) -> np.ndarray:
        offset, head = self.documents[index, :2]
        return self.tokens[offset : offset + head]

    def text(self, index: int) -> np.ndarray:
        offset, head, length = self.documents[index, :3]
        return self.tokens[offset + head : offset + head + length]

    def draw(self, rng: np.random.Generator) -> int:
        """A file, with probability proportional to its length."""
        return int(np.searchsorted(self.mass, rng.random(), side="right").clip(0, len(self.documents) - 1))


def newline_tokens(tokenizer_path: Path) -> np.ndarray:
    """Mask over the vocabulary: the tokens that end a line."""
    tokenizer = load(tokenizer_path)
    mask = np.zeros(tokenizer.get_vocab_size(), dtype=bool)
    # Our own tokenizer has one of them; others also have tokens for what often stands before a newline.
    mask[[index for token, index in tokenizer.get_vocab().items() if token.endswith("Ċ")]] = True
    return mask


@dataclass(frozen=True)
class Cut:
    """A window cut from a file: [FILE] head [SUFFIX] suffix [PREFIX] prefix middle [END], and where it lies."""

    tokens: np.ndarray
    middle: int  # index in `tokens` of the first token of the middle
    start: int  # span of the file's text tokens that the window covers, the hole included
    stop: int


def cut_window(split: Split, index: int, length: int, suffix_limit: int, rng: np.random.Generator, fim: float) -> Cut:
    """Cuts a window of at most `length` tokens: fill-in-the-middle with probability `fim`, else plain text.

    The middle is what is left of the cursor's line and, in two cases of five, further lines. The suffix starts at the
    line after the middle, as it does in the editor.
    """
    head, text = split.head(index), split.text(index)
    capacity = length - len(head) - 2
    if rng.random() >= fim or len(text) < 16:
        start = int(rng.integers(0, max(1, len(text) - capacity + 1)))
        piece = text[start : start + capacity]
        whole = [END] if start + len(piece) == len(text) and len(piece) < capacity else []
        tokens = np.concatenate(([FILE], head, [PREFIX], piece, whole))
        return Cut(tokens, len(head) + 2, start, start + len(piece))
    capacity -= 2
    cursor = int(rng.integers(0, len(text)))
    lines = 1 if rng.random() < 0.6 else int(rng.integers(2, 8))
    ends = np.flatnonzero(split.newline[text[cursor : cursor + capacity // 2]])
    stop = cursor + (int(ends[min(lines, len(ends)) - 1]) + 1 if len(ends) else min(len(text) - cursor, capacity // 2))
    wanted = suffix_limit if rng.random() < 0.7 else int(rng.integers(0, suffix_limit + 1))
    suffix = text[stop : stop + min(wanted, capacity - (stop - cursor))]
    start = max(0, cursor - (capacity - (stop - cursor) - len(suffix)))
    marked = np.concatenate(([SUFFIX], suffix)) if len(suffix) else suffix
    before = np.concatenate(([FILE], head, marked, [PREFIX], text[start:cursor]))
    return Cut(np.concatenate((before, text[cursor:stop], [END])), len(before), start, stop + len(suffix))


def fill(tokens: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and next-token targets [length], padded; padding and special tokens' own places are not scored."""
    inputs = np.full(length, PAD, dtype=np.int64)
    targets = np.full(length, IGNORE, dtype=np.int64)
    used = min(length, len(tokens) - 1)
    inputs[:used] = tokens[:used]
    targets[:used] = tokens[1 : used + 1]
    targets[np.isin(targets, (FILE, SUFFIX, PREFIX))] = IGNORE
    return inputs, targets


def language_batch(
    split: Split, size: int, length: int, suffix_limit: int, rng: np.random.Generator, fim: float
) -> tuple[np.ndarray, np.ndarray]:
    """A batch for plain language modelling [size, length]: short files share a row."""
    pairs = []
    for _ in range(size):
        row: list[np.ndarray] = []
        total = 0
        while total < length + 1:
            cut = cut_window(split, split.draw(rng), length, suffix_limit, rng, fim)
            row.append(cut.tokens)
            total += len(cut.tokens)
        pairs.append(fill(np.concatenate(row), length))
    return np.stack([p[0] for p in pairs]), np.stack([p[1] for p in pairs])
