"""What an arm of an ablation is measured by: nats by file of validation owners, the same texts for all arms of a
group."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import torch

from . import corpus, data
from .loop import device_of, load_decoder
from .model import Decoder
from .precision import autocast
from .tokenizer import FILE, PATTERN, PREFIX, SUFFIX, WORDS, load, path_tail
from .tokenizer import train as train_tokenizer

PIECE, BEHIND = (
    1200,
    300,
)  # characters of a text that is scored, and of its end that stands before it in every other one
SAMPLE = 12e6  # characters of the corpus that arms with tokenizers of their own read


def thoughts(options: Namespace, state: Path, arm: dict, tail: int) -> dict:
    """Under each thought, over whole windows, or over their last `tail` tokens, which are the same for windows of any
    length."""
    from .report import evaluate

    length = arm["length"] if tail else 512
    shape = {"chunks": 6, "chunk": 128, "length": length, "suffix_limit": 128}
    scores = evaluate(
        options.cache, options.tokenizer, "validation", state, None, options.files, 8, shape, options.device,
        steps=(0, 1, 4), identifiers=arm.get("identifiers", 1.0), tail=tail, compiled=True,
    )  # fmt: skip
    band = "tail" if tail else "all"
    nats = {name: values for (name, its_band), values in scores.nats.items() if its_band == band}
    return {"nats": nats, "tokens": scores.tokens[band], "bytes": scores.bytes[band]}


def corpus_of(options: Namespace, vocabulary: int, spaces: int) -> Path:
    """A folder with a tokenizer of this vocabulary, whose merges cross spaces or not, and a sample of the corpus packed
    with it."""
    folder = options.run / f"tokens-{vocabulary}-{'across' if spaces else 'within'}"
    if (folder / "train.documents.npy").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(corpus.sample_rows(options.cache, SAMPLE, options.seed))
    tokenizer = folder / "tokenizer.json"
    train_tokenizer((row["text"] for row in rows), vocabulary, tokenizer, PATTERN if spaces else WORDS)
    data.write(folder, "validation", *data.encode(validation_rows(options.cache, 200), tokenizer, "validation"))
    data.write(folder, "train", *data.encode(rows, tokenizer, "train"))
    return folder


def validation_rows(cache: Path, count: int) -> list[dict]:
    """Files of the validation split that are long enough, drawn by a fixed seed."""
    rows = [row for row in corpus.read(cache, "validation") if len(row["text"]) >= 2 * PIECE]
    return [rows[i] for i in np.random.default_rng(5).permutation(len(rows))[:count]]


def language(options: Namespace, state: Path) -> dict:
    """Of a decoder without a thought, whatever its tokenizer: a piece of each file, half of them with a suffix."""
    device = device_of(options.device)
    decoder = load_decoder(state)[0].to(device).eval()
    tokenizer = load(options.tokenizer)
    rng = np.random.default_rng(6)
    nats, tokens, sizes = [], [], []
    for number, row in enumerate(validation_rows(options.corpus, options.files)):
        start = int(rng.integers(0, len(row["text"]) - PIECE))
        text = row["text"][start : start + PIECE]
        behind = text[-BEHIND:] if number % 2 else ""
        before = tokenizer.encode(text[: len(text) - len(behind)]).ids
        suffix = tokenizer.encode(behind).ids
        head = tokenizer.encode(path_tail(row["path"])).ids[:24]
        marked = [SUFFIX, *suffix] if suffix else []
        nats.append(nll(decoder, [FILE, *head, *marked, PREFIX, *before], len(head), device))
        tokens.append(len(before) + len(suffix))
        sizes.append(len(text.encode()))
    return {"nats": {"text": nats}, "tokens": tokens, "bytes": sizes}


def nll(decoder: Decoder, ids: list[int], head: int, device: torch.device) -> float:
    """Σ −log p of a window's tokens behind its `head`, in nats."""
    x, y = (torch.from_numpy(part)[None].to(device) for part in data.fill(np.array(ids), len(ids) - 1))
    y[:, :head] = data.IGNORE
    with torch.no_grad(), autocast(device):
        return decoder(x, y).sum().item()
