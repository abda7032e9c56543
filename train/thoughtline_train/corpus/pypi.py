"""Source distributions of PyPI: found and downloaded with pip's own index client, nothing of them ever executed.

`pip download` asks a source distribution for its metadata by running its build script. Here pip's package finder and
its session are used instead: the same index and settings that pip has, a file checked against the index's hash, and
licence and owner read from the PKG-INFO that lies in the archive.
"""

import email
import email.policy
import hashlib
import json
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from .licences import permissive, python_licence, python_owner
from .npm import log, names_in, write_pins

# A source distribution above this is data or vendored C, not Python.
MAX_ARCHIVE = 60_000_000


class Index:
    """pip's package finder for source distributions, with pip's own configuration."""

    def __init__(self) -> None:
        from pip._internal.commands import create_command

        command = create_command("download")
        options, _ = command.parse_args(["--no-deps", "--no-binary", ":all:", "--ignore-requires-python", "none"])
        self.session = command._build_session(options)
        self.finder = command._build_package_finder(options=options, session=self.session, ignore_requires_python=True)

    def find(self, name: str, version: str | None = None):
        """The link to the source distribution of a version (the newest if none is given); None if there is none."""
        from pip._vendor.packaging.specifiers import SpecifierSet

        specifier = SpecifierSet(f"=={version}" if version else "")
        best = self.finder.find_best_candidate(name, specifier).best_candidate
        return best if best and best.link.filename.endswith(".tar.gz") else None

    def times(self, name: str) -> dict[str, str]:
        """When the source distribution of which version was uploaded; nothing if the index does not say."""
        from pip._vendor.packaging.utils import InvalidSdistFilename, parse_sdist_filename

        url = f"{self.finder.search_scope.index_urls[0].rstrip('/')}/{name}/"
        try:
            answer = self.session.get(url, headers={"Accept": "application/vnd.pypi.simple.v1+json"})
            files = answer.json()["files"]
        except (OSError, ValueError, KeyError) as problem:
            log(f"{name}: {problem}")
            return {}
        found = {}
        for file in files:
            try:
                _, version = parse_sdist_filename(file["filename"])
            except InvalidSdistFilename:
                continue
            if file["filename"].endswith(".tar.gz") and "upload-time" in file:
                found[str(version)] = file["upload-time"]
        return found

    def download(self, link, folder: Path) -> Path | None:
        """Downloads a link into a folder, once; the file is refused if it is not what the index says it is."""
        target = folder / link.filename
        if target.exists():
            return target
        answer = self.session.get(link.url.split("#")[0], headers={"Accept-Encoding": "identity"})
        if answer.status_code != 200 or len(answer.content) > MAX_ARCHIVE:
            return None
        if link.hash and hashlib.new(link.hash_name, answer.content).hexdigest() != link.hash:
            return None
        target.write_bytes(answer.content)
        return target


def fetch(pins: list[tuple[str, str | None]], folder: Path, index: Index | None = None) -> list[dict]:
    """Downloads the source distributions of (name, version or None for the newest); rows of name, version, file."""
    folder.mkdir(parents=True, exist_ok=True)
    index = index or Index()

    def one(pin: tuple[str, str | None]) -> dict | None:
        try:
            found = index.find(*pin)
            archive = found and index.download(found.link, folder)
        except Exception as problem:  # what pip and its network layer raise is not theirs to promise
            log(f"{pin[0]}: {problem}")
            return None
        return {"name": pin[0], "version": str(found.version), "file": archive.name} if archive else None

    with ThreadPoolExecutor(4) as pool:
        return [row for row in tqdm(pool.map(one, pins), total=len(pins), unit="package") if row]


def fetch_pinned(manifest: Path, cache: Path) -> None:
    """Fetches the manifest's source distributions that are not in the cache yet."""
    packages = json.loads(manifest.read_text())["packages"]
    folder = cache / "sdists"
    missing = [p for p in packages if not (folder / p["file"]).exists()]
    got = fetch([(p["name"], p["version"]) for p in missing], folder) if missing else []
    log(f"{len(packages)} PyPI packages pinned, {len(missing)} fetched now, {len(missing) - len(got)} could not be had")


def resolve(roots: Path, manifest: Path, cache: Path) -> None:
    """Pins the roots that are not pinned yet at their newest version, with licence and owner."""
    pinned = json.loads(manifest.read_text())["packages"] if manifest.exists() else []
    known = {p["name"] for p in pinned}
    rows = fetch([(name, None) for name in names_in(roots) if name not in known], cache / "sdists")
    packages, left_out = list(pinned), []
    for row in rows:
        archive = cache / "sdists" / row["file"]
        headers = package_info(archive)
        licence = python_licence(headers)
        if not permissive(licence):
            left_out.append(f"{row['name']} ({licence[:40] or 'not stated'})")
            continue
        owner = python_owner(row["name"], headers)
        packages.append(
            {"name": row["name"], "version": row["version"], "licence": licence, "owner": owner, "file": row["file"]}
        )
    write_pins(packages, manifest)
    log(
        f"{len(packages)} source distributions pinned in {manifest}; "
        f"left out for their licence: {', '.join(left_out) or 'none'}"
    )


def package_info(archive: Path) -> dict[str, list[str]]:
    """Headers of the PKG-INFO at the top of a source distribution; empty where there is none."""
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.name.count("/") == 1 and member.name.endswith("/PKG-INFO"):
                    return headers_of(tar.extractfile(member).read().decode("utf-8", "replace"))
    except (OSError, EOFError, tarfile.TarError):
        pass
    return {}


def headers_of(text: str) -> dict[str, list[str]]:
    message = email.message_from_string(text, policy=email.policy.compat32)
    return {name: [str(value) for value in message.get_all(name)] for name in message.keys()}
