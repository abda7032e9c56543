"""Sources out of packages, hand-written ones only.

TypeScript lives in two places of an npm package: in source files, and in the `sourcesContent` of source maps. Sources
under `node_modules` inside a map belong to somebody else and are left out.
"""

import json
import re
import tarfile
from pathlib import Path, PurePosixPath
from typing import Iterator

LANGUAGES = {
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx", ".js": "javascript",
    ".mjs": "javascript", ".cjs": "javascript", ".jsx": "jsx", ".vue": "vue", ".svelte": "svelte", ".py": "python",
}  # fmt: skip
# Withheld from training altogether: the measure of a language the model has never seen.
WITHHELD = "svelte"
COMPILED = re.compile(
    r"__esModule|_interopRequire|__webpack_require__|tslib_1|__importDefault|__awaiter\b|_createClass|"
    r"_classCallCheck|__decorate\(|regeneratorRuntime|_jsxs?\(|ɵɵ|\bwebpackJsonp|@generated|DO NOT EDIT|"
    r"auto-?generated|sourceMappingURL=",
    re.IGNORECASE,
)
VENDORED = re.compile(
    r"(^|/)(node_modules|bower_components|vendor|third_party|webpack|external|\(webpack\)|_vendor|_vendored|extern)(/|:|$)"
)
BENCHMARKS = re.compile(r"human[-_]?eval|\bmbpp\b|safim", re.IGNORECASE)
NO_SOURCE = re.compile(
    r"\.d\.[mc]?ts$|\.min\.|[-.]bundle\.|_pb2(_grpc)?\.py$|(^|/)(dist|umd|locales?|i18n|fixtures?|__snapshots__)/"
)
MAX_FILE, MIN_FILE = 200_000, 120


def language_of(path: str) -> str | None:
    return LANGUAGES.get(PurePosixPath(path).suffix.lower())


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
            yield re.sub(r"^(\w+:/+|(\.\.?/+)+)+", "", name).split("?")[0], text


def normal(text: str) -> str:
    """Text with the newlines of Unix and without a byte-order mark."""
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def flaw(path: str, text: str) -> str | None:
    """Why a file is not hand-written code (declarations, minified, compiled, generated, benchmarks); None if it is."""
    if language_of(path) is None or NO_SOURCE.search(path):
        return "no source by its path"
    if not MIN_FILE <= len(text) <= MAX_FILE:
        return "too short or too long"
    lines = text.split("\n")
    if len(text) / len(lines) > 100 or max(map(len, lines)) > 1000 or "\ufffd" in text or "\0" in text:
        return "minified or not text"
    if COMPILED.search(text):
        return "compiled or generated"
    if BENCHMARKS.search(path):
        return "benchmark"
    head = text[:20000]
    if sum(c.isalpha() or c.isspace() for c in head) / len(head) <= 0.55:
        return "mostly data"
    return None


def acceptable(path: str, text: str) -> bool:
    return flaw(path, text) is None

