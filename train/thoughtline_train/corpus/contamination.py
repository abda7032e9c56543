"""Whether the corpus holds problems of a benchmark: runs of 13 words that both have.

The benchmark is given as a folder: JSON and JSON lines (a problem a row, all strings of it), or source files (a problem
each); .gz is opened. Runs of words that several problems share are the benchmark's own frame, and are not counted.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .shingles import shingles, words

RUN = 13
# A problem is held by the corpus if one file has this share of its runs.
HELD = 0.5


@dataclass
class Finding:
    """How much of a problem the corpus holds: the largest share of its runs in one file, and the files with any."""

    problem: str
    runs: int
    share: float = 0.0
    files: list[str] = field(default_factory=list)


def problems(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """(name, texts) of every problem in a folder of benchmark files."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and ".git" not in p.parts):
        name = str(path.relative_to(folder))
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text, plain = raw.decode("utf-8", "replace"), name.removesuffix(".gz")
        if plain.endswith(".jsonl"):
            for number, line in enumerate(text.splitlines()):
                if line.strip():
                    yield f"{name}:{number + 1}", strings(json.loads(line))
        elif plain.endswith(".json"):
            data = json.loads(text)
            items = data if isinstance(data, list) else data.values()
            for number, item in enumerate(items):
                yield f"{name}:{number + 1}", strings(item)
        elif plain.endswith((".py", ".js", ".ts", ".tsx", ".txt")):
            yield name, [text]


def strings(value) -> list[str]:
    """All strings inside a JSON value."""
    if isinstance(value, str):
        return [value]
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for member in members for text in strings(member)]


def runs_of(texts: list[str]) -> np.ndarray:
    """Hashes of all runs of 13 words in texts; shorter texts have none."""
    own = [shingles(hashes, RUN) for hashes in map(words, texts) if len(hashes) >= RUN]
    return np.unique(np.concatenate(own)) if own else np.zeros(0, np.uint64)


def contamination(rows: Iterable[dict], benchmark: Iterable[tuple[str, list[str]]]) -> list[Finding]:
    """Findings of all problems that have any run in common with the corpus, the largest share first."""
    runs = {name: runs_of(texts) for name, texts in benchmark}
    times = Counter(int(run) for own in runs.values() for run in own)
    owner_of: dict[int, str] = {}
    findings: dict[str, Finding] = {}
    for name, own in runs.items():
        particular = [int(run) for run in own if times[int(run)] == 1]
        owner_of.update(dict.fromkeys(particular, name))
        findings[name] = Finding(name, len(particular))
    known = np.sort(np.fromiter(owner_of, np.uint64, len(owner_of)))
    for row in rows:
        for name, count in common(row["text"], known, owner_of).items():
            finding = findings[name]
            finding.files.append(f"{row['package']}/{row['path']}")
            finding.share = max(finding.share, count / finding.runs)
    return sorted((f for f in findings.values() if f.files), key=lambda f: -f.share)


def common(text: str, known: np.ndarray, owner_of: dict[int, str]) -> Counter[str]:
    """How many runs of a text each problem has."""
    if not len(known):
        return Counter()
    own = np.unique(shingles(words(text), RUN))
    places = np.searchsorted(known, own).clip(0, len(known) - 1)
    return Counter(owner_of[int(run)] for run in own[known[places] == own])


def report(findings: list[Finding], total: int) -> bool:
    """Prints the findings; True if the corpus holds no problem."""
    held = [f for f in findings if f.share >= HELD]
    print(
        f"{total} problems: {len(findings)} share a run of {RUN} words with the corpus, "
        f"{len(held)} are held by it ({HELD:.0%} of their runs in one file)"
    )
    for finding in findings[:20]:
        print(
            f"  {finding.share:>6.1%} of {finding.runs} runs  {finding.problem}  {finding.files[0]}"
            + (f" and {len(finding.files) - 1} more" if len(finding.files) > 1 else "")
        )
    return not held
