"""Which texts are taken: near-duplicates, caps, benchmarks."""

import gzip
import json

import numpy as np
import pytest
from conftest import program

from thoughtline_train import corpus
from thoughtline_train.corpus import build, contamination, duplicates, folders, shingles

LONG = program("long", 40)


def test_words_are_hashed_by_what_they_are():
    assert np.array_equal(shingles.words("foo Bar_1 + föö"), shingles.words("FOO(bar_1)\n  föö"))
    assert len(set(shingles.words("a b ab ba aa abc é").tolist())) == 7
    assert len(shingles.words("… + - ()")) == 1  # bytes above 127 are words
    assert len(shingles.words("")) == 0
    assert np.array_equal(shingles.words("x " * 3), np.repeat(shingles.words("x"), 3))


def test_runs_of_words():
    words = shingles.words("a b c d e f")
    assert len(shingles.shingles(words, 5)) == 2
    assert shingles.shingles(words, 5)[1] == shingles.shingles(shingles.words("b c d e f"), 5)[0]
    assert len(shingles.shingles(words, 9)) == 1
    assert shingles.shingles(shingles.words("a b"), 2)[0] != shingles.shingles(shingles.words("b a"), 2)[0]


def test_a_near_duplicate_is_dropped_and_a_different_text_kept():
    seen = duplicates.Seen()
    near = LONG.replace("number;", "bigint;", 1) + "\n// a line more, as another release has it\n"
    assert seen.duplicate(LONG) is None
    assert seen.duplicate(LONG.replace("  ", "\t")) == "duplicate"
    assert seen.duplicate(near) == "near-duplicate"
    assert seen.duplicate(program("another", 40)) is None
    half = LONG[: len(LONG) // 2] + program("third", 40)
    assert seen.duplicate(half) is None


def test_short_texts_are_compared_as_a_whole():
    seen = duplicates.Seen()
    assert [seen.duplicate(f"export {{ a, b, c }} from './{name}';") for name in "xyx"] == [None, None, "duplicate"]


def test_signatures_estimate_the_share_of_common_runs():
    seen = duplicates.Seen()
    rng = np.random.default_rng(1)
    runs = rng.integers(0, 2**63, 4000).astype(np.uint64)
    for share in (0.2, 0.5, 0.9):
        # Two sets of n with m in common have m / (2n − m) of all in common.
        common = int(4000 * share / (1 + share))
        a, b = runs[:2000], runs[2000 - common : 4000 - common]
        alike = np.mean(seen.signature(a) == seen.signature(b))
        assert alike == pytest.approx(common / (4000 - common), abs=0.2)


def test_caps_of_packages_and_owners():
    budget = build.Budget(cap_package=100, cap_owner=150)
    assert budget.take("a", "o", 80)
    assert not budget.take("a", "o", 30)
    assert budget.take("a", "o", 20)
    assert not budget.take("b", "o", 60)
    assert budget.take("b", "o", 50)
    assert budget.take("c", "p", 100)


def test_the_benchmark_check_finds_a_problem_and_passes_over_the_frame(tmp_path):
    frame = "check that the candidate function returns the expected result for every one of these given inputs "
    tasks = {f"task/{i}": program(f"task {i}", 3) for i in range(4)}
    with gzip.open(tmp_path / "made-up.jsonl.gz", "wt") as file:
        for name, text in tasks.items():
            file.write(json.dumps({"id": name, "prompt": {"text": text}, "test": [frame]}) + "\n")
    (tmp_path / "more.json").write_text(json.dumps([{"prompt": program("json", 3)}, {"prompt": "too short"}]))
    problems = list(contamination.problems(tmp_path))
    assert len(problems) == 6
    rows = [
        {"package": "clean", "path": "a.ts", "text": program("something else", 30)},
        {"package": "frame", "path": "b.ts", "text": frame * 3},
        {"package": "copied", "path": "c.ts", "text": LONG + tasks["task/2"].upper().replace("  ", "\t") + LONG},
    ]
    assert contamination.contamination(rows[:2], problems) == []
    found = contamination.contamination(rows, problems)
    assert [(f.problem, f.files) for f in found] == [("made-up.jsonl.gz:3", ["copied/c.ts"])]
    assert found[0].share > 0.9
    assert not contamination.report(found, 6)
    assert contamination.report([], 6)


def rows_of(owners: int) -> list[dict]:
    return [
        {"package": f"p{i}", "owner": f"o{i}", "path": f"src/{part}.ts", "text": program(f"{i} {part} é", 12)}
        for i in range(owners)
        for part in "abc"
    ]


def test_a_language_takes_no_more_than_its_share():
    rows = rows_of(40) + [{**row, "package": f"py-{row['package']}", "path": "a.py"} for row in rows_of(60)]

    def size(kept, ending):
        return sum(len(row["text"]) for row in kept if row["path"].endswith(ending))

    kept = corpus.with_share(rows, ".py", 0.25)
    assert size(kept, ".ts") == size(rows, ".ts")
    assert 0.2 < size(kept, ".py") / sum(len(row["text"]) for row in kept) <= 0.25
    whole = {row["package"] for row in kept}
    assert [row for row in rows if row["package"] in whole] == kept
    assert corpus.with_share(kept, ".py", 0.5) == kept


def test_a_folder_without_the_split_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"train\.jsonl\.zst: no such file; run `corpus build` first"):
        list(corpus.read(tmp_path, "train"))


def test_a_split_as_folders_one_an_owner(tmp_path):
    rows = rows_of(3)
    assert folders.unpack(rows, tmp_path) == {"o0": 3, "o1": 3, "o2": 3}
    assert (tmp_path / "o1" / "p1" / "src" / "b.ts").read_text() == rows[4]["text"]
    with pytest.raises(SystemExit, match=r"p0: \.\./x\.ts lies outside"):
        folders.unpack([{**rows[0], "path": "../x.ts"}], tmp_path)
