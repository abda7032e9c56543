"""Successive releases of packages of test owners: what `thoughtline evaluate --edits` replays as editing sessions.

`corpus/releases.json` pins them. Their sources are read as the corpus reads its own, and laid out as
RELEASES/PACKAGE/VERSION/PATH. Owners are checked to be test owners: nothing that is replayed was trained on.
"""

import json
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from .corpus.build import split_of
from .corpus.duplicates import fingerprint
from .corpus.licences import licence_of, owner_of, permissive
from .corpus.npm import fetch, log, package_json, tarball_name
from .corpus.sources import acceptable, normal, sources


def releases(pinned: Path, cache: Path) -> None:
    """Fetches the pinned releases that are not in the cache yet, and lays their sources out in CACHE/releases."""
    packages = read_pinned(pinned)
    wanted = [(p["name"], v) for p in packages for v in p["versions"]]
    missing = [(n, v) for n, v in wanted if not (cache / "tarballs" / tarball_name(n, v)).exists()]
    if missing:
        fetch([f"{n}@{v}" for n, v in missing], cache / "tarballs")
    lines = []
    for package in tqdm(packages, unit="package", desc="extracting"):
        counts = []
        folder = cache / "releases" / folder_name(package["name"])
        shutil.rmtree(folder, ignore_errors=True)
        for version in package["versions"]:
            archive = cache / "tarballs" / tarball_name(package["name"], version)
            if not archive.exists():
                raise SystemExit(f"{pinned}: {package['name']}@{version} could not be fetched; is npm online?")
            check(package, archive)
            counts.append(lay_out(archive, folder / version))
        lines.append(f"{package['name']:<32}{len(counts)} releases of {min(counts)} to {max(counts)} files")
    log("\n".join(lines))


def read_pinned(pinned: Path) -> list[dict]:
    packages = json.loads(pinned.read_text())["packages"]
    for package in packages:
        if split_of(package["owner"]) != "test":
            raise SystemExit(f"{pinned}: {package['name']}: {package['owner']} is no test owner; leave the package out")
        if len(package["versions"]) < 2:
            raise SystemExit(f"{pinned}: {package['name']}: versions: give at least two")
    return packages


def check(package: dict, archive: Path) -> None:
    """Refuses a release whose licence is not permissive or whose owner is not the pinned one."""
    try:
        meta = package_json(archive)
    except (OSError, ValueError, tarfile.TarError) as problem:
        raise SystemExit(f"{archive}: unreadable ({problem}); delete it and try again") from None
    if not permissive(licence_of(meta)):
        raise SystemExit(f"{archive.name}: licence {licence_of(meta) or 'not stated'}: not permissive; leave it out")
    if owner_of(meta) != package["owner"]:
        raise SystemExit(f"{archive.name}: owner {owner_of(meta)}, but {package['owner']} is pinned")


def lay_out(archive: Path, folder: Path) -> int:
    """Writes a release's hand-written sources, each text once; returns their number."""
    folder.mkdir(parents=True)
    seen: set[bytes] = set()
    for path, text in sorted(sources(archive)):
        text = normal(text)
        target = folder / path
        if not acceptable(path, text) or not inside(path) or target.exists() or fingerprint(text) in seen:
            continue
        seen.add(fingerprint(text))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    return len(seen)


def inside(path: str) -> bool:
    """Whether a path out of a tarball or a source map stays in the folder it is written to, on any system."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and not set(path) & set('\\:*?"<>|\0')


def folder_name(package: str) -> str:
    """A package's name as one folder: @scope/name is scope+name."""
    return package.removeprefix("@").replace("/", "+")
