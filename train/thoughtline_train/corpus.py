"""The corpus: sources of permissively licensed npm packages, filtered, deduplicated and split by owner.

Packages are fetched by npm itself (`npm pack`, scripts never run), exactly the versions that `manifest.json` pins.
TypeScript lives in two places of a package: in source files, and in the `sourcesContent` of source maps. Sources
under `node_modules` inside a map belong to somebody else and are left out.
"""

import hashlib
import io
import json
import re
import subprocess
import tarfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Iterator

import zstandard
from tqdm import tqdm

PERMISSIVE = {
    "MIT", "MIT-0", "ISC", "BSD", "BSD-2-CLAUSE", "BSD-3-CLAUSE", "APACHE-2.0", "APACHE 2.0", "0BSD", "UNLICENSE", "CC0-1.0",
    "BLUEOAK-1.0.0", "ZLIB", "PYTHON-2.0", "X11",
}  # fmt: skip
LANGUAGES = {
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx", ".js": "javascript",
    ".mjs": "javascript", ".cjs": "javascript", ".jsx": "jsx", ".vue": "vue", ".svelte": "svelte",
}  # fmt: skip
# Withheld from training altogether: the measure of a language the model has never seen.
WITHHELD = "svelte"
COMPILED = re.compile(
    r"__esModule|_interopRequire|__webpack_require__|tslib_1|__importDefault|__awaiter\b|_createClass|"
    r"_classCallCheck|__decorate\(|regeneratorRuntime|_jsxs?\(|ɵɵ|\bwebpackJsonp|@generated|DO NOT EDIT|"
    r"auto-?generated|sourceMappingURL=",
    re.IGNORECASE,
)
VENDORED = re.compile(r"(^|/)(node_modules|bower_components|vendor|third_party|webpack|external|\(webpack\))(/|:|$)")
BENCHMARKS = re.compile(r"human[-_]?eval|\bmbpp\b|safim", re.IGNORECASE)
MAX_FILE, MIN_FILE = 200_000, 120


def log(text: str) -> None:
    print(text, flush=True)


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
    return [row for spec in specs for row in npm_pack([spec], folder)]


def fetch(specs: list[str], folder: Path, group: int = 8) -> list[dict]:
    folder.mkdir(parents=True, exist_ok=True)
    groups = [specs[i : i + group] for i in range(0, len(specs), group)]
    rows: list[dict] = []
    with ThreadPoolExecutor(3) as pool, tqdm(total=len(specs), unit="package") as bar:
        for found in pool.map(lambda g: npm_pack(g, folder), groups):
            rows += found
            bar.update(group)
    return rows


def resolve(roots: Path, manifest: Path, cache: Path) -> None:
    """Pins the newest version of every root, with its licence and the owner of its repository."""
    names = sorted({n for line in roots.read_text().splitlines() if not line.startswith("#") for n in line.split()})
    write_manifest(fetch(names, cache / "tarballs"), manifest, cache)


def write_manifest(rows: list[dict], manifest: Path, cache: Path) -> None:
    packages = []
    for row in rows:
        try:
            meta = package_json(cache / "tarballs" / row["file"])
        except (OSError, ValueError, KeyError, tarfile.TarError):
            continue
        licence = licence_of(meta)
        if permissive(licence):
            packages.append(
                {"name": row["name"], "version": row["version"], "licence": licence, "owner": owner_of(meta)}
            )
    packages.sort(key=lambda p: p["name"])
    lines = ",\n".join("  " + json.dumps(p, ensure_ascii=False) for p in packages)
    manifest.write_text('{\n "packages": [\n' + lines + "\n ]\n}\n")
    log(f"{len(packages)} packages with permissive licences pinned in {manifest}, {len(rows) - len(packages)} left out")


def package_json(archive: Path) -> dict:
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name.count("/") == 1 and member.name.endswith("/package.json"):
                data = json.load(io.TextIOWrapper(tar.extractfile(member), encoding="utf-8-sig"))
                return data if isinstance(data, dict) else {}
    return {}


def licence_of(meta: dict) -> str:
    value = meta.get("license") or meta.get("licenses") or ""
    if isinstance(value, list):
        value = " OR ".join(v.get("type", "") if isinstance(v, dict) else str(v) for v in value)
    return str(value.get("type", "")) if isinstance(value, dict) else str(value)


def permissive(licence: str) -> bool:
    """True if some alternative of an SPDX expression consists of permissive licences only."""
    alternatives = re.split(r"\s+OR\s+", licence.strip().strip("()"), flags=re.IGNORECASE)
    return any(
        all(part.strip(" ()").upper() in PERMISSIVE for part in re.split(r"\s+AND\s+", a, flags=re.IGNORECASE))
        for a in alternatives
    )


def owner_of(meta: dict) -> str:
    """Owner of the source repository, lower case; the npm scope or the name where none is stated."""
    repository = meta.get("repository") or meta.get("homepage") or ""
    url = repository.get("url", "") if isinstance(repository, dict) else str(repository)
    found = re.search(r"(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)[/:]([\w.-]+)/", url)
    found = found or re.match(r"^(?:github:)?([\w.-]+)/[\w.-]+$", url)
    if found:
        return found.group(1).lower()
    name = meta.get("name", "unknown")
    return "npm:" + (name.split("/")[0] if name.startswith("@") else name).lower()


# ---------------------------------------------------------------- reading one package


def sources(archive: Path) -> Iterator[tuple[str, str]]:
    """(path, text) of every source in a package's tarball, source maps opened."""
    mapped: set[str] = set()
    plain: list[tuple[str, str]] = []
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.split("/", 1)[-1]
            suffix = PurePosixPath(name).suffix.lower()
            if not member.isfile() or VENDORED.search(name):
                continue
            if suffix == ".map" and member.size < 30_000_000:
                mapped.add(name[: -len(".map")])
                yield from map_sources(tar.extractfile(member).read())
            elif suffix in LANGUAGES and member.size <= MAX_FILE:
                plain.append((name, tar.extractfile(member).read().decode("utf-8", "replace")))
    for name, text in plain:
        if name not in mapped:
            yield name, text


def map_sources(data: bytes) -> Iterator[tuple[str, str]]:
    try:
        parsed = json.loads(data)
        pairs = zip(parsed.get("sources") or [], parsed.get("sourcesContent") or [])
    except (ValueError, AttributeError):
        return
    for name, text in pairs:
        if isinstance(name, str) and isinstance(text, str) and not VENDORED.search(name):
            yield re.sub(r"^(\w+:/+|(\.\.?/)+)+", "", name).split("?")[0], text


def acceptable(path: str, text: str) -> bool:
    """Hand-written code only: no declarations, no minified, compiled or generated files, no benchmark problems."""
    if not MIN_FILE <= len(text) <= MAX_FILE or PurePosixPath(path).suffix.lower() not in LANGUAGES:
        return False
    if re.search(r"\.d\.[mc]?ts$|\.min\.|[-.]bundle\.|(^|/)(dist|umd|locales?|i18n|fixtures?|__snapshots__)/", path):
        return False
    lines = text.split("\n")
    if len(text) / len(lines) > 100 or max(map(len, lines)) > 1000 or "\ufffd" in text or "\0" in text:
        return False
    if COMPILED.search(text) or BENCHMARKS.search(path):
        return False
    letters = sum(c.isalpha() or c.isspace() for c in text[:20000])
    return letters / len(text[:20000]) > 0.55


def fingerprint(text: str) -> bytes:
    return hashlib.blake2b(re.sub(r"\s+", "", text).encode(), digest_size=16).digest()


# ---------------------------------------------------------------- the corpus


def split_of(owner: str) -> str:
    """Train, validation or test, by owner alone, so that no repository of a test owner is ever trained on."""
    bucket = int.from_bytes(hashlib.sha256(owner.encode()).digest()[:4], "big") % 100
    return "test" if bucket < 8 else "validation" if bucket < 12 else "train"


def build(manifest: Path, cache: Path, cap_package: int, cap_owner: int) -> None:
    """Writes train/validation/test/withheld.jsonl.zst. Test owners are read first: what they hold is never trained on."""
    packages = json.loads(manifest.read_text())["packages"]
    order = {"test": 0, "validation": 1, "train": 2}
    packages.sort(key=lambda p: (order[split_of(p["owner"])], p["name"]))
    seen: set[bytes] = set()
    per_owner: Counter[str] = Counter()
    writers = {
        name: zstandard.ZstdCompressor(level=6).stream_writer((cache / f"{name}.jsonl.zst").open("wb"))
        for name in (*order, "withheld")
    }
    totals: dict[str, Counter] = defaultdict(Counter)
    for package in tqdm(packages, unit="package"):
        archive = cache / "tarballs" / tarball_name(package["name"], package["version"])
        if not archive.exists():
            raise SystemExit(f"{archive}: missing; run `corpus fetch` first")
        split, size = split_of(package["owner"]), 0
        try:
            found = sorted(sources(archive), key=lambda s: s[0])
        except (OSError, tarfile.TarError, EOFError) as problem:
            log(f"{archive.name}: unreadable ({problem}), left out")
            continue
        for path, text in found:
            text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
            if not acceptable(path, text):
                continue
            mark = fingerprint(text)
            if mark in seen:
                continue
            seen.add(mark)
            language = LANGUAGES[PurePosixPath(path).suffix.lower()]
            if size + len(text) > cap_package or per_owner[package["owner"]] + len(text) > cap_owner:
                continue
            size += len(text)
            per_owner[package["owner"]] += len(text)
            target = "withheld" if language == WITHHELD else split
            row = {"package": package["name"], "owner": package["owner"], "path": path, "text": text}
            writers[target].write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            totals[target][language] += len(text.encode())
            totals[target]["files"] += 1
        if size:
            totals[split]["packages"] += 1
    for writer in writers.values():
        writer.close()
    (cache / "composition.json").write_text(json.dumps({k: dict(v) for k, v in totals.items()}, indent=1))
    report(cache)


def tarball_name(name: str, version: str) -> str:
    return f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"


def report(cache: Path) -> None:
    """Prints what the corpus consists of."""
    composition = json.loads((cache / "composition.json").read_text())
    languages = sorted({k for c in composition.values() for k in c} - {"files", "packages"})
    log(f"{'split':<12}{'packages':>9}{'files':>8}" + "".join(f"{name:>12}" for name in languages) + "   (MB)")
    for split, count in composition.items():
        cells = "".join(f"{count.get(name, 0) / 1e6:>12.1f}" for name in languages)
        log(f"{split:<12}{count.get('packages', 0):>9}{count.get('files', 0):>8}{cells}")


def read(cache: Path, split: str) -> Iterator[dict]:
    with (cache / f"{split}.jsonl.zst").open("rb") as raw:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), encoding="utf-8"):
            yield json.loads(line)


def sample(cache: Path, size: float, seed: int) -> Iterator[str]:
    """Training texts of about `size` characters in all, drawn by a hash of the text."""
    total = json.loads((cache / "composition.json").read_text())["train"]
    share = size / sum(v for k, v in total.items() if k not in ("files", "packages"))
    for row in read(cache, "train"):
        mark = hashlib.blake2b(row["text"].encode(), digest_size=4, salt=str(seed).encode()).digest()
        if int.from_bytes(mark, "big") / 2**32 < share:
            yield row["text"]


def fetch_pinned(manifest: Path, cache: Path) -> None:
    """Fetches the manifest's packages that are not in the cache yet."""
    packages = json.loads(manifest.read_text())["packages"]
    missing = [p for p in packages if not (cache / "tarballs" / tarball_name(p["name"], p["version"])).exists()]
    got = fetch([f"{p['name']}@{p['version']}" for p in missing], cache / "tarballs")
    log(f"{len(packages)} packages pinned, {len(missing)} fetched now, {len(missing) - len(got)} could not be had")
