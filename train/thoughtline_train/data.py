"""Token streams on disk, and the examples cut from them: fill-in-the-middle windows and episodes with evidence."""

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
TAIL_BEFORE = 1024  # tokens before the end of a window that is compared with windows of other lengths


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
        self.by_package: dict[int, np.ndarray] = {}
        order = np.argsort(self.documents[:, 3], kind="stable")
        packages, starts = np.unique(self.documents[order, 3], return_index=True)
        for package, members in zip(packages, np.split(order, starts[1:])):
            self.by_package[int(package)] = members

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
    room = length - len(head) - 2
    if rng.random() >= fim or len(text) < 16:
        start = int(rng.integers(0, max(1, len(text) - room + 1)))
        piece = text[start : start + room]
        whole = [END] if start + len(piece) == len(text) and len(piece) < room else []
        tokens = np.concatenate(([FILE], head, [PREFIX], piece, whole))
        return Cut(tokens, len(head) + 2, start, start + len(piece))
    room -= 2
    cursor = int(rng.integers(0, len(text)))
    lines = 1 if rng.random() < 0.6 else int(rng.integers(2, 8))
    ends = np.flatnonzero(split.newline[text[cursor : cursor + room // 2]])
    stop = cursor + (int(ends[min(lines, len(ends)) - 1]) + 1 if len(ends) else min(len(text) - cursor, room // 2))
    wanted = suffix_limit if rng.random() < 0.7 else int(rng.integers(0, suffix_limit + 1))
    suffix = text[stop : stop + min(wanted, room - (stop - cursor))]
    start = max(0, cursor - (room - (stop - cursor) - len(suffix)))
    marked = np.concatenate(([SUFFIX], suffix)) if len(suffix) else suffix
    before = np.concatenate(([FILE], head, marked, [PREFIX], text[start:cursor]))
    return Cut(np.concatenate((before, text[cursor:stop], [END])), len(before), start, stop + len(suffix))


def cut_ending(split: Split, index: int, stop: int, length: int) -> Cut:
    """The plain window of `length` inputs that ends before token `stop` of a file's text."""
    head = split.head(index)
    start = max(0, stop - (length - len(head) - 1))
    return Cut(np.concatenate(([FILE], head, [PREFIX], split.text(index)[start:stop])), len(head) + 2, start, stop)


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


def evidence_spans(split: Split, index: int, start: int, stop: int, chunk: int) -> list[tuple[int, int, int]]:
    """(file, from, to) of the chunks of a file outside its window [start, stop), nearest first."""
    room = chunk - len(split.head(index)) - 1
    length = int(split.documents[index, 2])
    before = [(index, max(0, e - room), e) for e in range(start, 0, -room)]
    after = [(index, s, min(length, s + room)) for s in range(stop, length, room)]
    spans = sorted(before + after, key=lambda s: min(abs(start - s[2]), abs(s[1] - stop)))
    return [s for s in spans if s[2] - s[1] >= 16]


def sibling_spans(split: Split, index: int, chunk: int, count: int, rng: np.random.Generator) -> list:
    """Chunks of other files of the same package, drawn near the file in the package's order (mostly its folder)."""
    members = split.by_package[int(split.documents[index, 3])]
    if len(members) < 2:
        return []
    at = int(np.searchsorted(members, index))
    spans = []
    for _ in range(count):
        other = members[(at + int(rng.integers(1, 9)) * (1 if rng.random() < 0.5 else -1)) % len(members)]
        if other == index:
            continue
        room = chunk - len(split.head(other)) - 1
        length = int(split.documents[other, 2])
        start = int(rng.integers(0, max(1, length - room + 1)))
        stop = min(length, start + room)
        # No text twice: what is held out must not be among the evidence.
        apart = all(other != o or stop <= a or b <= start for o, a, b in spans)
        if stop - start >= 16 and apart:
            spans.append((int(other), start, stop))
    return spans


def chunk_rows(split: Split, span: tuple[int, int, int], chunk: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets [chunk] of one evidence chunk: [FILE] head [PREFIX] text; only text tokens are scored."""
    index, start, stop = span
    head = split.head(index)
    inputs, targets = fill(np.concatenate(([FILE], head, [PREFIX], split.text(index)[start:stop], [PAD])), chunk)
    targets[: len(head) + 1] = IGNORE
    targets[targets == PAD] = IGNORE
    return inputs, targets


@dataclass(frozen=True)
class Episode:
    """One latent-learning episode: `chunks` evidence rows [K, chunk], one held-out row, the window, its middle, and
    further windows [N, length] of other files of the package, which the same thought shall serve."""

    evidence: tuple[np.ndarray, np.ndarray]
    held_out: tuple[np.ndarray, np.ndarray]
    window: tuple[np.ndarray, np.ndarray]
    others: tuple[np.ndarray, np.ndarray]
    file: int
    middle: int


def episode(
    split: Split, chunks: int, chunk: int, length: int, suffix_limit: int, rng: np.random.Generator, fim: float = 0.6,
    siblings: float = 0.2, index: int | None = None, windows: int = 1, stop: int | None = None,
) -> Episode | None:  # fmt: skip
    """Draws a file, a window in it, and evidence outside the window: the file's own text first, then siblings'.

    With probability `siblings` the evidence is siblings' only. None if there are fewer than two chunks of evidence in
    all.
    `windows`: how many windows the thought serves; those beyond the first lie in files that are no evidence.
    `stop`: the window is plain text that ends before this token of the file.
    """
    index = split.draw(rng) if index is None else index
    cut = cut_ending(split, index, stop, length) if stop else cut_window(split, index, length, suffix_limit, rng, fim)
    own = [] if rng.random() < siblings else evidence_spans(split, index, cut.start, cut.stop, chunk)
    spans = own[: chunks + 1]
    if len(spans) < chunks + 1:
        spans += sibling_spans(split, index, chunk, chunks + 1 - len(spans), rng)
    if len(spans) < 2:
        return None
    order = rng.permutation(len(spans))
    rows = [chunk_rows(split, spans[i], chunk) for i in order]
    held, rows = rows[-1], rows[:-1]
    blank = (np.full(chunk, PAD, dtype=np.int64), np.full(chunk, IGNORE, dtype=np.int64))
    rows += [blank] * (chunks - len(rows))
    evidence = np.stack([r[0] for r in rows]), np.stack([r[1] for r in rows])
    others = sibling_windows(split, index, {s[0] for s in spans}, windows - 1, length, suffix_limit, rng, fim)
    return Episode(evidence, held, fill(cut.tokens, length), others, index, cut.middle)


def sibling_windows(
    split: Split,
    index: int,
    evidence: set[int],
    count: int,
    length: int,
    suffix_limit: int,
    rng: np.random.Generator,
    fim: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Windows [count, length] of other files of the package, none of them evidence; blank where there are too few."""
    members = split.by_package[int(split.documents[index, 3])]
    free = [int(o) for o in members if o != index and o not in evidence]
    drawn = rng.permutation(len(free))[:count]
    rows = [fill(cut_window(split, free[i], length, suffix_limit, rng, fim).tokens, length) for i in drawn]
    blank = (np.full(length, PAD, dtype=np.int64), np.full(length, IGNORE, dtype=np.int64))
    rows += [blank] * (count - len(rows))
    shape = (count, length)
    return tuple(np.stack([r[i] for r in rows]) if rows else np.empty(shape, dtype=np.int64) for i in range(2))


def collect_episodes(
    split: Split, files: int, shape: dict, rng: np.random.Generator, tails: bool = False
) -> list[Episode]:
    """At most one episode a file, files in random order, until there are `files` of them.

    `tails`: windows that end at the same places whatever their length, in files with text enough on both sides.
    """
    found: list[Episode] = []
    for index in rng.permutation(len(split.documents)):
        size = int(split.documents[index, 2])
        stop = (
            int(np.random.default_rng((13, index)).integers(TAIL_BEFORE, size))
            if tails and size >= 2 * TAIL_BEFORE
            else None
        )
        if size < 200 or (tails and stop is None):
            continue
        if item := episode(split, **shape, rng=rng, index=int(index), stop=stop):
            found.append(item)
        if len(found) == files:
            break
    return found
