"""npm packages: fetched by npm itself (`npm pack`, scripts never run), their dependencies followed, pinned in a
manifest."""

import hashlib
import io
import json
import subprocess
import tarfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from .licences import licence_of, owner_of, permissive


def log(text: str) -> None:
    print(text, flush=True)


def tarball_name(name: str, version: str) -> str:
    return f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"


def package_json(archive: Path) -> dict:
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name.count("/") == 1 and member.name.endswith("/package.json"):
                data = json.load(io.TextIOWrapper(tar.extractfile(member), encoding="utf-8-sig"))
                return data if isinstance(data, dict) else {}
    return {}


# ---------------------------------------------------------------- fetching


def npm_pack(specs: list[str], folder: Path) -> list[dict]:
    """Downloads packages by `npm pack`; one that is not to be had is left out, never the others of its group."""
    done = subprocess.run(
        ["npm", "pack", "--silent", "--json", "--ignore-scripts", *specs], cwd=folder, capture_output=True, text=True
    )
    if done.returncode == 0:
        return [{"name": p["name"], "version": p["version"], "file": p["filename"]} for p in json.loads(done.stdout)]
    if len(specs) == 1:
        return []
    half = len(specs) // 2
    return npm_pack(specs[:half], folder) + npm_pack(specs[half:], folder)


def times(name: str) -> dict[str, str]:
    """When which version of a package was published, by `npm view`; nothing if that fails."""
    done = subprocess.run(["npm", "view", name, "time", "versions", "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        return {}
    found = json.loads(done.stdout)
    # A package of one version has a text here instead of a list; what was withdrawn has a time, but no version.
    versions = [found["versions"]] if isinstance(found["versions"], str) else found["versions"]
    return {version: found["time"][version] for version in versions if version in found["time"]}


def fetch(
    specs: list[str], folder: Path, group: int = 12, got: Callable[[list[dict]], None] | None = None
) -> list[dict]:
    """Downloads packages in groups, three at a time; `got` is told of each group as it arrives."""
    folder.mkdir(parents=True, exist_ok=True)
    groups = [specs[i : i + group] for i in range(0, len(specs), group)]
    rows: list[dict] = []
    with ThreadPoolExecutor(3) as pool, tqdm(total=len(specs), unit="package") as bar:
        for found in pool.map(lambda g: npm_pack(g, folder), groups):
            rows += found
            if got:
                got(found)
            bar.update(group)
    return rows


def fetch_pinned(manifest: Path, cache: Path) -> None:
    """Fetches the manifest's packages that are not in the cache yet."""
    packages = json.loads(manifest.read_text())["packages"]
    missing = [p for p in packages if not (cache / "tarballs" / tarball_name(p["name"], p["version"])).exists()]
    got = fetch([f"{p['name']}@{p['version']}" for p in missing], cache / "tarballs")
    log(f"{len(packages)} npm packages pinned, {len(missing)} fetched now, {len(missing) - len(got)} could not be had")


# ---------------------------------------------------------------- pinning


def names_in(roots: Path) -> list[str]:
    """Names of a roots file: many a line, comments start with #."""
    return sorted({n for line in roots.read_text().splitlines() if not line.startswith("#") for n in line.split()})


def follow(
    roots: list[str], dependencies: Callable[[list[str]], dict[str, list[str]]], depth: int, limit: int
) -> list[str]:
    """The roots and what they depend on, `depth` levels deep, at most `limit` names.

    `dependencies` is asked once a level and answers with the dependencies of every package it could get. Within a
    level the names that most packages depend on come first, so that the limit cuts off the rarest.
    """
    known = dict.fromkeys(roots)
    level = list(known)
    for step in range(depth + 1):
        found = dependencies(level)
        if step == depth:
            break
        wanted = Counter(name for names in found.values() for name in names if name not in known and worth_having(name))
        order = sorted(wanted, key=lambda name: (-wanted[name], name))
        level = order[: max(0, limit - len(known))]
        known.update(dict.fromkeys(level))
    return list(known)


def worth_having(name: str) -> bool:
    """False for packages of declarations or of settings only."""
    return not name.startswith(("@types/", "@tsconfig/")) and not name.endswith("-types")


def resolve(roots: Path, manifest: Path, cache: Path, depth: int, limit: int) -> None:
    """Pins the roots and their dependencies: versions in the manifest stay, the rest gets its newest.

    What was fetched is noted in CACHE/resolved.jsonl, so that an interrupted command goes on where it was. After a
    build, `corpus prune` takes out of the manifest what brought no text of its own.
    """
    pinned = json.loads(manifest.read_text())["packages"] if manifest.exists() else []
    tarballs, notes = cache / "tarballs", cache / "resolved.jsonl"
    rows = {row["name"]: row for row in map(json.loads, notes.read_text().splitlines())} if notes.exists() else {}
    rows.update({p["name"]: {**p, "file": tarball_name(p["name"], p["version"])} for p in pinned})
    lost = [f"{row['name']}@{row['version']}" for row in rows.values() if not (tarballs / row["file"]).exists()]
    if lost:
        fetch(lost, tarballs)

    def dependencies(names: list[str]) -> dict[str, list[str]]:
        # In no order of theirs, so that what an interrupted command has fetched is a fair sample.
        tried = sorted(
            (name for name in names if name not in rows), key=lambda name: hashlib.sha256(name.encode()).digest()
        )
        with notes.open("a") as out:

            def got(found: list[dict]) -> None:
                rows.update({row["name"]: row for row in found})
                out.writelines(json.dumps(row) + "\n" for row in found)
                out.flush()

            if tried:
                fetch(tried, tarballs, got=got)
        if depth == 0:
            return {}
        there = [name for name in names if name in rows]
        return {name: list(meta_of(tarballs / rows[name]["file"]).get("dependencies") or {}) for name in there}

    wanted = set(follow(names_in(roots), dependencies, depth, limit)) | {p["name"] for p in pinned}
    pin([row for name, row in rows.items() if name in wanted], manifest, tarballs)


def meta_of(archive: Path) -> dict:
    """package.json of a tarball; empty where it cannot be read."""
    try:
        return package_json(archive)
    except (OSError, ValueError, KeyError, EOFError, tarfile.TarError):
        return {}


def pin(rows: list[dict], manifest: Path, tarballs: Path) -> None:
    """Pins the packages whose licence is permissive. What is pinned keeps its owner: a repository that moved must not
    change its split."""
    packages = []
    for row in tqdm(rows, unit="package", desc="reading"):
        if "owner" in row:
            packages.append({key: row[key] for key in ("name", "version", "licence", "owner")})
            continue
        meta = meta_of(tarballs / row["file"])
        licence = licence_of(meta)
        if permissive(licence):
            packages.append(
                {"name": row["name"], "version": row["version"], "licence": licence, "owner": owner_of(meta)}
            )
    write_pins(packages, manifest)
    log(f"{len(packages)} packages with permissive licences pinned in {manifest}, {len(rows) - len(packages)} left out")


def write_pins(packages: list[dict], manifest: Path) -> None:
    """Writes a manifest, one package a line."""
    packages.sort(key=lambda p: p["name"])
    lines = ",\n".join("  " + json.dumps(p, ensure_ascii=False) for p in packages)
    manifest.write_text('{\n "packages": [\n' + lines + "\n ]\n}\n")
