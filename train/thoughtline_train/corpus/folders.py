"""A split's files as folders of source code, one a repository owner: what `npm run lab -- evaluate --each` reads."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath


def unpack(rows: Iterable[dict], out: Path) -> dict[str, int]:
    """Writes OUT/OWNER/PACKAGE/PATH for every row; returns the files of each owner.

    A path that would lie outside its package is refused: the rows come out of archives that strangers made.
    """
    files: dict[str, int] = {}
    for row in rows:
        package, path = row["package"].replace("/", "+"), PurePosixPath(row["path"])
        if path.is_absolute() or ".." in path.parts:
            raise SystemExit(f"{row['package']}: {row['path']} lies outside the package; leave the package out")
        target = out / row["owner"].replace("/", "+") / package / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(row["text"])
        files[row["owner"]] = files.get(row["owner"], 0) + 1
    return files


def extent(rows: list[dict]) -> str:
    """How much the rows of a split are."""
    owners = {row["owner"] for row in rows}
    packages = {(row["owner"], row["package"]) for row in rows}
    size = sum(len(row["text"].encode()) for row in rows) / 1e6
    return f"{len(owners)} owners, {len(packages)} packages, {len(rows)} files, {size:.1f} MB"
