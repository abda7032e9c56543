"""The corpus out of the fetched packages: filtered, deduplicated, capped, split by owner; and its composition."""

import hashlib
import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from tqdm import tqdm

from .npm import log, tarball_name, write_pins
from .sources import LANGUAGES, WITHHELD, flaw, language_of, normal, sources

SPLITS = ("test", "validation", "train")
TYPED = {"typescript", "tsx", "vue"}


def split_of(owner: str) -> str:
    """Train, validation or test, by owner alone, so that no repository of a test owner is ever trained on."""
    bucket = int.from_bytes(hashlib.sha256(owner.encode()).digest()[:4], "big") % 100
    return "test" if bucket < 8 else "validation" if bucket < 12 else "train"


def archive_of(package: dict, cache: Path) -> Path:
    """Where a pinned package lies: a source distribution has the name the index gives it, a tarball the one npm gives
    it."""
    if "file" in package:
        return cache / "sdists" / package["file"]
    return cache / "tarballs" / tarball_name(package["name"], package["version"])


def pinned(manifests: list[Path], cache: Path) -> list[dict]:
    """The manifests' packages with the archives they lie in; test owners first, so that what they hold is theirs
    alone."""
    packages = []
    for manifest in manifests:
        for package in json.loads(manifest.read_text())["packages"] if manifest.exists() else []:
            archive = archive_of(package, cache)
            if not archive.exists():
                raise SystemExit(f"{archive}: missing; run `corpus fetch` first")
            packages.append({**package, "archive": archive})
    return sorted(packages, key=lambda p: (SPLITS.index(split_of(p["owner"])), p["name"], p["archive"].name))


def build(manifests: list[Path], cache: Path, cap_package: int, cap_owner: int) -> None:
    """Writes train/validation/test/withheld.jsonl.zst and composition.json."""
    packages, budget = pinned(manifests, cache), Budget(cap_package, cap_owner)
    totals, dropped, useful = gather(packages, cache, SPLITS, LANGUAGES, budget)
    record(cache, {"splits": {name: t.summary() for name, t in totals.items()}, "dropped": dropped.summary()}, useful)
    withhold(manifests, cache, cap_package, cap_owner)


def withhold(manifests: list[Path], cache: Path, cap_package: int, cap_owner: int) -> None:
    """Writes withheld.jsonl.zst, the languages that no split holds, of all owners; the other splits stay as they
    are."""
    packages, budget = pinned(manifests, cache), Budget(cap_package, cap_owner)
    totals, _, useful = gather(packages, cache, ("withheld",), WITHHELD, budget)
    composition = json.loads((cache / "composition.json").read_text())
    composition["splits"]["withheld"] = totals["withheld"].summary()
    record(cache, composition, useful | set(json.loads((cache / "useful.json").read_text())))
    report(cache)


def gather(
    packages: list[dict], cache: Path, splits: tuple[str, ...], languages: Mapping[str, str], budget: "Budget"
) -> tuple[dict[str, "Totals"], "Dropped", set[str]]:
    """Writes the packages' texts in some languages: to the split of their owner, or, where there is one split only, to
    that.

    Returns what each split holds, what was dropped, and the archives that brought a text of their own.
    """
    import zstandard

    from .duplicates import Seen

    seen, dropped, useful = Seen(), Dropped(), set()
    totals = {name: Totals() for name in splits}
    with ExitStack() as files:
        writers = {
            name: files.enter_context(
                zstandard.ZstdCompressor(level=6).stream_writer((cache / f"{name}.jsonl.zst").open("wb"))
            )
            for name in splits
        }
        for package in tqdm(packages, unit="package"):
            split = split_of(package["owner"]) if len(splits) > 1 else splits[0]
            taken = chosen(package, languages, seen, budget, dropped)
            if taken is None:
                continue
            useful.add(package["archive"].name)
            for path, text in taken:
                row = {"package": package["name"], "owner": package["owner"], "path": path, "text": text}
                writers[split].write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
                totals[split].add(package, language_of(path), len(text.encode()))
    return totals, dropped, useful


def record(cache: Path, composition: dict, useful: set[str]) -> None:
    (cache / "composition.json").write_text(json.dumps(composition, indent=1) + "\n")
    (cache / "useful.json").write_text(json.dumps(sorted(useful), indent=0) + "\n")


def prune(manifests: list[Path], cache: Path) -> None:
    """Takes out of the manifests what brought no text of its own to the last build; the same build follows from the
    rest."""
    useful = set(json.loads((cache / "useful.json").read_text()))
    for manifest in manifests:
        packages = json.loads(manifest.read_text())["packages"]
        kept = [p for p in packages if archive_of(p, cache).name in useful]
        write_pins(kept, manifest)
        log(f"{manifest}: {len(kept)} of {len(packages)} packages kept")


class Budget:
    """What a package and an owner may still hold, in characters, so that none dominates."""

    def __init__(self, cap_package: int, cap_owner: int) -> None:
        self.cap_package, self.cap_owner = cap_package, cap_owner
        self.per_package: Counter[str] = Counter()
        self.per_owner: Counter[str] = Counter()

    def take(self, package: str, owner: str, size: int) -> bool:
        if self.per_package[package] + size > self.cap_package or self.per_owner[owner] + size > self.cap_owner:
            return False
        self.per_package[package] += size
        self.per_owner[owner] += size
        return True


class Dropped:
    """Why files were dropped: files and bytes by reason; by language too for what only a cap kept out."""

    def __init__(self) -> None:
        self.files: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()

    def add(self, reason: str, text: str) -> None:
        self.files[reason] += 1
        self.bytes[reason] += len(text.encode(errors="replace"))

    def summary(self) -> dict:
        return {reason: {"files": self.files[reason], "bytes": self.bytes[reason]} for reason in sorted(self.files)}


class Totals:
    """What one split holds."""

    def __init__(self) -> None:
        self.files, self.languages, self.owners = 0, Counter(), Counter()
        self.packages: set[str] = set()

    def add(self, package: dict, language: str, size: int) -> None:
        self.files += 1
        self.languages[language] += size
        self.owners[package["owner"]] += size
        self.packages.add(str(package["archive"]))

    def summary(self) -> dict:
        total = sum(self.languages.values())
        return {
            "packages": len(self.packages),
            "owners": len(self.owners),
            "files": self.files,
            "languages": dict(self.languages.most_common()),
            "top owners": {owner: round(size / total, 4) for owner, size in self.owners.most_common(8)},
        }


def chosen(
    package: dict, languages: Mapping[str, str], seen, budget: Budget, dropped: Dropped
) -> list[tuple[str, str]] | None:
    """(path, text) of the files of a package that a split takes, by path; None if it has no text of its own.

    Typed sources are the first to be given space.
    """
    try:
        found = sorted(sources(package["archive"], languages), key=lambda s: (language_of(s[0]) not in TYPED, s[0]))
    except (OSError, tarfile.TarError, EOFError) as problem:
        log(f"{package['archive'].name}: unreadable ({problem}), left out")
        return None
    taken, new = [], False
    for path, raw in found:
        text = normal(raw)
        # A lone surrogate of a source map is no text that could be written.
        reason = flaw(path, text) or (None if encodable(text) else "minified or not text")
        reason = reason or seen.duplicate(text)
        new = new or reason is None
        if not reason and not budget.take(str(package["archive"]), package["owner"], len(text)):
            reason = f"over a cap ({language_of(path)})"
        if reason:
            dropped.add(reason, text)
        else:
            taken.append((path, text))
    return sorted(taken) if new else None


def encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# ---------------------------------------------------------------- what it consists of


def report(cache: Path) -> None:
    """Prints what the corpus consists of, who holds max_share of it, and what was dropped."""
    composition = json.loads((cache / "composition.json").read_text())
    splits = composition["splits"]
    languages = sorted({name for split in splits.values() for name in split["languages"]})
    log(
        f"{'split':<12}{'packages':>9}{'owners':>8}{'files':>9}"
        + "".join(f"{name:>12}" for name in languages)
        + f"{'all':>9}   (MB)"
    )
    for name, split in splits.items():
        cells = "".join(f"{split['languages'].get(language, 0) / 1e6:>12.1f}" for language in languages)
        total = sum(split["languages"].values()) / 1e6
        log(f"{name:<12}{split['packages']:>9}{split['owners']:>8}{split['files']:>9}{cells}{total:>9.1f}")
    for name, split in splits.items():
        shares = ", ".join(f"{owner} {share:.1%}" for owner, share in split["top owners"].items())
        log(f"largest owners of {name}: {shares}")
    for reason, count in composition["dropped"].items():
        log(f"dropped, {reason:<28}{count['files']:>9} files{count['bytes'] / 1e6:>10.1f} MB")


# ---------------------------------------------------------------- reading it


def read(cache: Path, split: str) -> Iterator[dict]:
    """Rows of a split."""
    packed = cache / f"{split}.jsonl.zst"
    if not packed.exists():
        raise SystemExit(f"{packed}: no such file; run `corpus build` first")
    import zstandard

    with packed.open("rb") as raw:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), encoding="utf-8"):
            yield json.loads(line)


def summary(cache: Path, split: str) -> dict:
    """What a split holds: packages and bytes by language, among others. Reads the composition of version 0.1 as
    well."""
    composition = json.loads((cache / "composition.json").read_text())
    if "splits" in composition:
        return composition["splits"][split]
    count = composition[split]
    languages = {name: size for name, size in count.items() if name not in ("files", "packages")}
    return {"packages": count.get("packages", 0), "files": count.get("files", 0), "languages": languages}


def sample(cache: Path, size: float, seed: int) -> Iterator[str]:
    """Texts of the training split of about `size` characters in all, drawn by a hash of the text."""
    share = size / sum(summary(cache, "train")["languages"].values())
    for row in read(cache, "train"):
        mark = hashlib.blake2b(row["text"].encode(), digest_size=4, salt=str(seed).encode()).digest()
        if int.from_bytes(mark, "big") / 2**32 < share:
            yield row["text"]


def with_share(rows: Iterable[dict], ending: str, max_share: float) -> list[dict]:
    """The rows, with so few packages of files that end so that these are at most a share `max_share` of all text.

    Packages are left out whole, in an order of their hash: what stays is a fair sample, and files keep their siblings.
    """
    kept = list(rows)
    sizes: dict[str, int] = {}
    for row in kept:
        if row["path"].endswith(ending):
            sizes[row["package"]] = sizes.get(row["package"], 0) + len(row["text"])
    budget = (sum(len(row["text"]) for row in kept) - sum(sizes.values())) * max_share / (1 - max_share)
    taken: set[str] = set()
    for package in sorted(sizes, key=lambda name: hashlib.sha256(b"share " + name.encode()).digest()):
        if sizes[package] <= budget:
            budget -= sizes[package]
            taken.add(package)
    return [row for row in kept if not row["path"].endswith(ending) or row["package"] in taken]
