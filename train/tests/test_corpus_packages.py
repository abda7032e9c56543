"""Which packages are taken: dependencies followed, licences and owners of PyPI, manifests that stay as they are."""

import json

import pytest
from conftest import owner_in, program, tarball

from thoughtline_train.corpus import build, licences, npm, pypi

GRAPH = {"a": ["c", "d", "@types/node"], "b": ["d", "e"], "c": ["f"], "d": ["g", "a"], "e": [], "f": ["h"], "g": ["h"]}


@pytest.mark.parametrize(
    ("depth", "limit", "expected"),
    [
        (0, 100, ["a", "b"]),
        (1, 100, ["a", "b", "d", "c", "e"]),
        (2, 100, ["a", "b", "d", "c", "e", "f", "g"]),
        (9, 100, ["a", "b", "d", "c", "e", "f", "g", "h"]),
        (2, 3, ["a", "b", "d"]),
        (2, 1, ["a", "b"]),
    ],
)
def test_dependencies_are_followed_within_bounds(depth, limit, expected):
    asked = []

    def dependencies(names):
        asked.extend(names)
        return {name: GRAPH[name] for name in names if name in GRAPH}

    assert npm.follow(["a", "b"], dependencies, depth, limit) == expected
    assert sorted(asked) == sorted(expected)


def test_resolve_pins_roots_and_dependencies_and_leaves_what_is_pinned(tmp_path, monkeypatch):
    metas = {
        "root": {"license": "MIT", "repository": "owner/root", "dependencies": {"part": "^1.0.0", "closed": "*"}},
        "part": {"license": "ISC", "repository": "owner/part"},
        "closed": {"license": "UNLICENSED"},
        "old": {"license": "MIT", "repository": "moved/old"},
    }
    calls = []

    def npm_pack(specs, folder):
        calls.extend(specs)
        for spec in specs:
            name, _, version = spec.partition("@")
            tarball(folder / npm.tarball_name(name, version or "2.0.0"), {"name": name, **metas[name]}, {})
        parts = [spec.partition("@") for spec in specs]
        return [{"name": n, "version": v or "2.0.0", "file": npm.tarball_name(n, v or "2.0.0")} for n, _, v in parts]

    monkeypatch.setattr(npm, "npm_pack", npm_pack)
    roots, manifest = tmp_path / "roots.txt", tmp_path / "manifest.json"
    roots.write_text("# a comment\nroot old\n")
    old = {"name": "old", "version": "1.0.0", "licence": "MIT", "owner": "first"}
    manifest.write_text(json.dumps({"packages": [old]}))
    npm.resolve(roots, manifest, tmp_path, depth=1, limit=100)
    expected = [
        old,
        {"name": "part", "version": "2.0.0", "licence": "ISC", "owner": "owner"},
        {"name": "root", "version": "2.0.0", "licence": "MIT", "owner": "owner"},
    ]
    assert json.loads(manifest.read_text())["packages"] == expected
    assert sorted(calls) == ["closed", "old@1.0.0", "part", "root"]
    calls.clear()
    npm.resolve(roots, manifest, tmp_path, depth=1, limit=100)
    assert (json.loads(manifest.read_text())["packages"], calls) == (expected, [])


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("License-Expression: BSD-3-Clause\nLicense: other", "BSD-3-Clause"),
        ("License: something\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        (
            "Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: Apache Software License",
            "Apache-2.0",
        ),
        (
            "Classifier: License :: OSI Approved :: MIT License\n"
            "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
            "MIT AND GNU General Public License v3 (GPLv3)",
        ),
        ("License: MIT License", "MIT"),
        ("License: The MIT License", "MIT"),
        ("License: Apache License, Version 2.0", "Apache-2.0"),
        ("License: Apache 2.0", "Apache-2.0"),
        ("License: BSD 3-Clause License", "BSD-3-Clause"),
        ("License: 3-clause BSD", "BSD-3-Clause"),
        ("License: BSD", "BSD"),
        ("License: MIT License\n        \n        Permission is hereby granted", "MIT"),
        ("License: LGPL", "LGPL"),
        ("License: MIT or so, ask us", "MIT or so, ask us"),
        ("Name: nothing", ""),
    ],
)
def test_licence_of_a_source_distribution(info, expected):
    assert licences.python_licence(pypi.headers_of(info + "\n\nA description")) == expected


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (
            "Project-URL: Docs, https://docs.example.org\nProject-URL: Source, https://github.com/Pallets/flask/",
            "pallets",
        ),
        (
            "Project-URL: Funding, https://github.com/sponsors/someone\nProject-URL: Repository, https://github.com/them/it",
            "them",
        ),
        ("Home-page: https://gitlab.com/group/project", "group"),
        ("Home-page: https://github.com/owner", "owner"),
        ("Home-page: https://example.org", "pypi:name"),
        ("", "pypi:name"),
    ],
)
def test_owner_of_a_source_distribution(info, expected):
    assert licences.python_owner("Name", pypi.headers_of(info + "\n\n")) == expected


class FakeIndex:
    """An index of two projects; `download` writes what a source distribution holds."""

    def __init__(self):
        self.asked = []

    def find(self, name, version=None):
        self.asked.append(name)
        if name == "absent":
            return None
        link = type("Link", (), {"filename": f"{name}-1.0.tar.gz"})()
        return type("Candidate", (), {"version": version or "1.0", "link": link})()

    def download(self, link, folder):
        name = link.filename.split("-")[0]
        licence = {"good": "MIT", "copyleft": "GPL-3.0-only"}[name]
        info = f"Name: {name}\nLicense-Expression: {licence}\nHome-page: https://github.com/someone/{name}\n\n"
        return tarball(folder / link.filename, {}, {"PKG-INFO": info, "src/good.egg-info/PKG-INFO": "License: no\n\n"})


def test_python_roots_are_pinned_with_licence_and_owner(tmp_path, monkeypatch):
    index = FakeIndex()
    monkeypatch.setattr(pypi, "Index", lambda: index)
    roots, manifest = tmp_path / "pypi-roots.txt", tmp_path / "pypi.json"
    roots.write_text("good copyleft absent\n")
    pypi.resolve(roots, manifest, tmp_path)
    row = {"name": "good", "version": "1.0", "licence": "MIT", "owner": "someone", "file": "good-1.0.tar.gz"}
    assert json.loads(manifest.read_text())["packages"] == [row]
    assert sorted(index.asked) == ["absent", "copyleft", "good"]
    index.asked.clear()
    (tmp_path / "sdists" / "good-1.0.tar.gz").unlink()
    pypi.fetch_pinned(manifest, tmp_path)
    assert index.asked == ["good"]
    assert (tmp_path / "sdists" / "good-1.0.tar.gz").exists()


def test_prune_takes_out_what_brings_nothing_of_its_own(tmp_path):
    """Also Python beside npm: a source distribution lies elsewhere and is called otherwise."""
    owner = owner_in("train")
    files = {"npm": {"own.ts": program("one")}, "copy": {"copy.ts": program("one")}, "none": {"a.d.ts": program("two")}}
    for name, content in files.items():
        tarball(tmp_path / "tarballs" / f"{name}-1.0.0.tgz", {"name": name}, content)
    tarball(tmp_path / "sdists" / "Snake_Case-1.0.tar.gz", {}, {"snake/__init__.py": program("three")})
    manifests = [tmp_path / "manifest.json", tmp_path / "pypi.json"]
    rows = [{"name": n, "version": "1.0.0", "licence": "MIT", "owner": owner} for n in ("npm", "none")]
    rows.append({"name": "copy", "version": "1.0.0", "licence": "MIT", "owner": owner_in("test")})
    manifests[0].write_text(json.dumps({"packages": rows}))
    snake = {"name": "snake-case", "version": "1.0", "licence": "MIT", "owner": owner, "file": "Snake_Case-1.0.tar.gz"}
    manifests[1].write_text(json.dumps({"packages": [snake]}))
    build.build(manifests, tmp_path, 10**6, 10**6)
    build.prune(manifests, tmp_path)
    assert [p["name"] for p in json.loads(manifests[0].read_text())["packages"]] == ["copy"]
    assert json.loads(manifests[1].read_text())["packages"] == [snake]
    before = (tmp_path / "train.jsonl.zst").read_bytes()
    build.build(manifests, tmp_path, 10**6, 10**6)
    assert (tmp_path / "train.jsonl.zst").read_bytes() == before
    assert build.summary(tmp_path, "train")["languages"].keys() == {"python"}
