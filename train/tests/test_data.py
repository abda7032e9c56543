import json

import numpy as np
import pytest
import zstandard

from thoughtline_train import corpus, data
from thoughtline_train.tokenizer import END, FILE, PAD, PREFIX, SUFFIX, load, path_tail

SPECIAL = (PAD, FILE, SUFFIX, PREFIX, END)


@pytest.fixture(scope="module")
def train(tiny) -> data.Split:
    return tiny.split("train")


def test_a_packed_split_holds_every_file(tiny, train):
    encoder = load(tiny.tokenizer)
    rows = list(corpus.read(tiny.cache, "train"))
    assert len(train.documents) == len(rows)
    for index, row in enumerate(rows):
        assert encoder.decode(train.text(index).tolist()) == row["text"]
        assert encoder.decode(train.head(index).tolist()) == path_tail(row["path"])
        assert train.documents[index, 5] == len(row["text"].encode())
    owners = {}
    for index, row in enumerate(rows):
        assert owners.setdefault(row["owner"], train.documents[index, 4]) == train.documents[index, 4]
    assert len(set(owners.values())) == len(owners)


def test_python_can_be_held_to_a_share(tiny, tmp_path):
    rows = [
        {**row, "path": f"{row['path']}.py" if i % 2 else row["path"]}
        for i, row in enumerate(corpus.read(tiny.cache, "train"))
    ]
    for row in rows[1::2]:
        row["package"] = f"python-{row['package']}"
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "train.jsonl.zst").write_bytes(zstandard.compress(lines.encode()))
    data.pack(tmp_path, tiny.tokenizer, "train", python=0.2)
    packed = data.Split(tmp_path, "train", data.newline_tokens(tiny.tokenizer))
    encoder = load(tiny.tokenizer)
    python = np.array([encoder.decode(packed.head(i).tolist()).endswith(".py") for i in range(len(packed.documents))])
    sizes = packed.documents[:, 5]
    assert 0 < sizes[python].sum() <= 0.2 * sizes.sum() and len(rows) / 2 <= (~python).sum()


def test_files_are_drawn_by_length(train):
    rng = np.random.default_rng(0)
    counts = np.bincount([train.draw(rng) for _ in range(20_000)], minlength=len(train.documents))
    share = train.documents[:, 2] / train.documents[:, 2].sum()
    assert np.abs(counts / 20_000 - share).max() < 0.01


def parts(cut: data.Cut, head: np.ndarray):
    """(suffix, prefix, middle) of a fill-in-the-middle window."""
    tokens = list(cut.tokens)
    assert tokens[0] == FILE and tokens[1 : 1 + len(head)] == list(head)
    assert tokens.count(PREFIX) == 1 and tokens.count(FILE) == 1
    prefix_at = tokens.index(PREFIX)
    suffix = []
    if SUFFIX in tokens:
        assert tokens.index(SUFFIX) == 1 + len(head) and tokens.count(SUFFIX) == 1
        suffix = tokens[2 + len(head) : prefix_at]
        assert suffix, "an empty suffix is left out together with its mark"
    else:
        assert prefix_at == 1 + len(head)
    assert tokens[-1] == END
    return suffix, tokens[prefix_at + 1 : cut.middle], tokens[cut.middle : -1]


@pytest.mark.parametrize("seed", range(4))
def test_fill_in_the_middle_windows(train, seed):
    rng = np.random.default_rng(seed)
    length, limit = 96, 24
    lines_of_middle = set()
    for _ in range(400):
        index = train.draw(rng)
        text = list(train.text(index))
        cut = data.cut_window(train, index, length, limit, rng, fim=1.0)
        suffix, prefix, middle = parts(cut, train.head(index))
        assert len(cut.tokens) <= length
        assert len(suffix) <= limit
        # Prefix, middle and suffix are one stretch of the file, in its order.
        assert prefix + middle + suffix == text[cut.start : cut.stop]
        assert 0 <= cut.start <= cut.stop <= len(text)
        end = cut.start + len(prefix) + len(middle)
        ends = [bool(train.newline[t]) for t in middle]
        lines_of_middle.add(sum(ends))
        # The suffix starts at the line after the middle; only a middle cut short by the window has no newline.
        assert ends[-1:] == [True] or end == len(text) or not any(ends)
    assert {1, 2, 3} <= lines_of_middle


def test_plain_windows(train):
    rng = np.random.default_rng(1)
    ended = 0
    for _ in range(300):
        index = train.draw(rng)
        cut = data.cut_window(train, index, 96, 24, rng, fim=0.0)
        head, text = list(train.head(index)), list(train.text(index))
        piece = text[cut.start : cut.stop]
        tokens = list(cut.tokens)
        assert len(tokens) <= 96
        assert tokens[: len(head) + 2] == [FILE, *head, PREFIX]
        assert tokens[len(head) + 2 :] in (piece, [*piece, END])
        ended += tokens[-1] == END
        assert tokens[-1] != END or cut.stop == len(text)


def test_fill_scores_text_and_end_only():
    tokens = np.array([FILE, 20, SUFFIX, 30, PREFIX, 40, 41, END])
    inputs, targets = data.fill(tokens, 10)
    assert inputs.tolist() == [FILE, 20, SUFFIX, 30, PREFIX, 40, 41, PAD, PAD, PAD]
    assert targets.tolist() == [20, -100, 30, -100, 40, 41, END, -100, -100, -100]
    inputs, targets = data.fill(np.arange(100, 120), 5)
    assert inputs.tolist() == [100, 101, 102, 103, 104] and targets.tolist() == [101, 102, 103, 104, 105]


def test_language_batches(train):
    x, y = data.language_batch(train, 5, 64, 16, np.random.default_rng(0), fim=0.5)
    assert x.shape == y.shape == (5, 64)
    assert not np.isin(y, (FILE, SUFFIX, PREFIX, PAD)).any()
    assert (y >= 0).mean() > 0.8
    again = data.language_batch(train, 5, 64, 16, np.random.default_rng(0), fim=0.5)
    assert (again[0] == x).all()
