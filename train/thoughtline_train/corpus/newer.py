"""Which files of a split did not exist before a day, so that a model released by then can hardly have read them.

A package's pinned release is compared with what all packages of its owner held in their last releases before that day:
by path, and by text, because files move, and code moves between packages.
"""

import json
import re
import subprocess
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath

from . import npm
from .build import archive_of
from .pypi import Index
from .sources import LANGUAGES, WITHHELD, map_sources

# Where sources or builds lie: src/a.ts and dist/a.js are taken for one file.
TOP = re.compile(r"^((src|source|lib|dist|build|out|es|esm|cjs)/)+")
MAX_TEXT = 30_000_000


class Earlier:
    """Releases of pinned packages before a day: asked for one after the other, and kept in the cache."""

    def __init__(self, cache: Path, since: str, index: Index | None = None) -> None:
        self.cache, self.since, self.index = cache, since, index or Index()

    def archives(self, package: dict) -> list[Path] | None:
        """The archives of the last releases before the day; none for a package that is new as a whole.

        None if the pinned release is not newer than they are, or if one of them cannot be had.
        """
        times = self.times(package)
        before = {version: time for version, time in times.items() if time < self.since}
        newest = max(before, key=order, default="")
        if times.get(package["version"], "") < self.since or order(package["version"]) <= order(newest):
            return None
        # The last one can be a correction of an older line: then the highest is compared as well.
        versions = sorted({newest, max(before, key=lambda version: before[version])}) if before else []
        archives = [self.archive(package, version) for version in versions]
        return None if None in archives else archives

    def times(self, package: dict) -> dict[str, str]:
        """When which version was published; nothing if the index did not say, to be asked again the next time."""
        kind, name = "pypi" if "file" in package else "npm", package["name"]
        note = self.cache / "releases" / f"{kind}-{name.replace('/', '+')}.json"
        if note.exists():
            return json.loads(note.read_text())
        times = self.index.times(name) if kind == "pypi" else npm.times(name)
        if times:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps(times))
        else:
            npm.log(f"{name}: no dates of its releases are to be had, left out")
        return times

    def archive(self, package: dict, version: str) -> Path | None:
        if "file" in package:
            found = self.index.find(package["name"], version)
            return self.index.download(found.link, self.cache / "sdists") if found else None
        path = archive_of({"name": package["name"], "version": version}, self.cache)
        if not path.exists():
            npm.npm_pack([f"{package['name']}@{version}"], path.parent)
        return path if path.exists() else None


def order(version: str) -> tuple:
    """Sorts versions by their numbers; what is before a release, such as 2.0.0-beta, comes before it."""
    numbers = re.match(r"[\d.]*", version)[0]
    rest = version[len(numbers) :]
    return [int(number) for number in re.findall(r"\d+", numbers)], not rest, rest


def only_new(
    rows: Iterable[dict], packages: list[dict], earlier: Earlier, histories: Path | None = None
) -> Iterator[dict]:
    """The rows of a split that hold a file that its owner had not published before the day."""
    owned = defaultdict(list)
    for package in packages:
        owned[package["owner"]].append(package)
    for owner, group in groupby(sorted(rows, key=lambda row: row["owner"]), key=lambda row: row["owner"]):
        known = Known()
        for package in owned[owner]:
            known.add(package, earlier.archives(package))
        for repository in sorted(histories.glob(f"{owner.replace('/', '+')}/*")) if histories else []:
            known.lines.update(lines_of(code_before(repository, earlier.since)))
        yield from (row for row in group if not known.holds(row))


class Known:
    """What an owner had published before the day."""

    def __init__(self) -> None:
        self.old: set[str] = set()
        self.paths: dict[str, set[str]] = defaultdict(set)
        self.lines: set[int] = set()

    def add(self, package: dict, archives: list[Path] | None) -> None:
        """Adds a package with the archives of its earlier releases; None says that the package itself is old."""
        if archives is None:
            self.old.add(package["name"])
        for archive in [package["archive"]] if archives is None else archives:
            for path, text in texts(archive):
                self.paths[package["name"]].add(place(path))
                self.lines.update(lines_of(text))

    def holds(self, row: dict) -> bool:
        """True if a file of a split was there, by its path or by at least half of its lines."""
        if row["package"] in self.old or place(row["path"]) in self.paths[row["package"]]:
            return True
        lines = lines_of(row["text"])
        return 2 * sum(line in self.lines for line in lines) >= len(lines)


def code_before(repository: Path, since: str) -> str:
    """All lines of code of a clone as it was at the beginning of a day; none if it is younger.

    Packages often leave out tests, or sources beside what is built of them, that lay in the repository all the time.
    """
    at = git(repository, "rev-list", "-1", "--first-parent", f"--before={since}T00:00:00Z", "HEAD").strip()
    endings = [f"*{ending}" for ending in (*LANGUAGES, *WITHHELD)]
    return git(repository, "grep", "-hI", ".", at, "--", *endings) if at else ""


def git(repository: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", repository, *words], capture_output=True)
    # `git grep` says 1 when nothing was found.
    if done.returncode > 1:
        raise SystemExit(f"{repository}: git {words[0]} failed; clone it again, whole, or take it out")
    return done.stdout.decode("utf-8", "replace")


def place(path: str) -> str:
    """What stays of a path when its ending, or the folder of sources or builds at its top, changes."""
    return TOP.sub("", re.sub(r"\.\w+$", "", path))


def lines_of(text: str) -> list[int]:
    """Hashes of the lines of a text that are long enough to say something."""
    return [hash(line) for line in map(str.strip, text.splitlines()) if len(line) >= 10]


def texts(archive: Path) -> Iterator[tuple[str, str]]:
    """(path, text) of all code in an archive, also what is built or bundled or lies in source maps."""
    with tarfile.open(archive) as tar:
        for member in tar:
            path = member.name.split("/", 1)[-1]
            suffix = PurePosixPath(path).suffix.lower()
            if not member.isfile() or member.size > MAX_TEXT:
                continue
            if suffix == ".map":
                yield from map_sources(tar.extractfile(member).read())
            elif suffix in LANGUAGES or suffix in WITHHELD:
                yield path, tar.extractfile(member).read().decode("utf-8", "replace")
