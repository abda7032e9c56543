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


def test_evidence_never_overlaps_the_window(train):
    rng = np.random.default_rng(3)
    for _ in range(300):
        index = train.draw(rng)
        cut = data.cut_window(train, index, 96, 24, rng, fim=0.6)
        spans = data.evidence_spans(train, index, cut.start, cut.stop, 48)
        covered = np.zeros(train.documents[index, 2], dtype=int)
        for file, start, stop in spans:
            assert file == index and 16 <= stop - start <= 48 - len(train.head(index)) - 1
            assert stop <= cut.start or start >= cut.stop
            covered[start:stop] += 1
        assert covered.max(initial=0) <= 1
        distances = [min(abs(cut.start - stop), abs(start - cut.stop)) for _, start, stop in spans]
        assert distances == sorted(distances)
        missed = (covered == 0).sum() - (cut.stop - cut.start)
        assert missed < 32, "all but stretches too short for a chunk"


def test_siblings_belong_to_the_same_package_and_share_no_text(train):
    rng = np.random.default_rng(4)
    for _ in range(300):
        index = train.draw(rng)
        spans = data.sibling_spans(train, index, 48, 6, rng)
        for number, (file, start, stop) in enumerate(spans):
            assert file != index and train.documents[file, 3] == train.documents[index, 3]
            assert 0 <= start < stop <= train.documents[file, 2]
            for other, a, b in spans[:number]:
                assert other != file or stop <= a or b <= start


def test_chunk_rows_score_text_tokens_only(train):
    index = 0
    head, text = train.head(index), train.text(index)
    inputs, targets = data.chunk_rows(train, (index, 10, 40), 64)
    before = len(head) + 2
    assert inputs[:before].tolist() == [FILE, *head, PREFIX]
    assert inputs[before : before + 30].tolist() == text[10:40].tolist()
    assert targets[before - 1 : before + 29].tolist() == text[10:40].tolist()
    assert (targets[: before - 1] == data.IGNORE).all() and (targets[before + 29 :] == data.IGNORE).all()


def test_episodes_keep_window_held_out_row_and_evidence_apart(train, monkeypatch):
    """The spans from which an episode's rows are cut: no two of them, nor any and the window, share text."""
    rng = np.random.default_rng(5)
    spans, windows = [], []
    chunk_rows, cut_window = data.chunk_rows, data.cut_window
    monkeypatch.setattr(data, "chunk_rows", lambda *a: spans.append(a[1]) or chunk_rows(*a))
    monkeypatch.setattr(data, "cut_window", lambda *a: windows.append(cut_window(*a)) or windows[-1])
    seen = 0
    for _ in range(300):
        spans.clear()
        item = data.episode(train, 3, 48, 96, 24, rng)
        if item is None:
            continue
        seen += 1
        assert item.evidence[0].shape == (3, 48) and item.window[0].shape == (96,)
        assert 2 <= len(spans) <= 4 and (item.held_out[1] >= 0).sum() >= 16
        for number, (file, start, stop) in enumerate(spans):
            assert file != item.file or stop <= windows[-1].start or start >= windows[-1].stop
            assert all(file != f or stop <= a or b <= start for f, a, b in spans[:number])
    assert seen > 250


def test_episodes_of_a_report_are_one_a_file_and_repeatable(train):
    shape = {"chunks": 3, "chunk": 48, "length": 96, "suffix_limit": 24}
    found = data.collect_episodes(train, 12, shape, np.random.default_rng(11))
    assert len({item.file for item in found}) == len(found) == 12
    again = data.collect_episodes(train, 12, shape, np.random.default_rng(11))
    assert [item.file for item in again] == [item.file for item in found]


def test_further_windows_lie_in_files_of_the_package_that_are_no_evidence(tiny, train):
    rng = np.random.default_rng(4)
    filled = 0
    for _ in range(60):
        item = data.episode(train, 2, 48, 96, 24, rng, windows=3)
        if item is None:
            continue
        x, y = item.others
        assert x.shape == y.shape == (2, 96)
        for row, targets in zip(x, y):
            if (targets == data.IGNORE).all():
                continue
            filled += 1
            assert row[0] == FILE
            assert (targets[targets != data.IGNORE] < tiny_vocabulary(tiny)).all()
    assert filled > 60
    assert data.episode(train, 2, 48, 96, 24, rng).others[0].shape == (0, 96)


def tiny_vocabulary(tiny) -> int:
    return load(tiny.tokenizer).get_vocab_size()
