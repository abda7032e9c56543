"""Byte-level BPE whose merges may cross single spaces inside a line, but never a newline or a run of white space."""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = ["<|pad|>", "<|file|>", "<|suffix|>", "<|prefix|>", "<|end|>", "<|spare5|>", "<|spare6|>", "<|spare7|>"]
PAD, FILE, SUFFIX, PREFIX, END = range(5)

# A newline, a run of white space, or a piece of a line with single spaces inside. Both kinds of run are capped, so
# that a line of 100 kB costs linear time.
PATTERN = r"\n|[ \t]{1,64}|[^ \t\n](?:[^ \t\n]| (?=[^ \t\n])){0,95}"


def train(texts: Iterable[str], vocabulary: int, path: Path) -> None:
    """Trains a tokenizer and writes it without `added_tokens`, so that no text can ever spell a special token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=3,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=32,
        show_progress=True,
    )
    tokenizer.train_from_iterator(texts, trainer)
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, ensure_ascii=False))


def load(path: Path) -> Tokenizer:
    return Tokenizer.from_file(str(path))


def path_tail(path: str) -> str:
    """What the model is told about a file: the last two components of its path, at most 60 characters."""
    return "/".join(path.replace("\\", "/").split("/")[-2:])[-60:]
