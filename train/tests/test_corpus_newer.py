"""Which files are new since a day: by the dates of releases, by path and by text, also across an owner's packages."""

import json
import os
import shutil
import subprocess

import pytest
from conftest import owner_in, program, tarball

from thoughtline_train.corpus import newer, npm, pypi, split_of

DAY = "2025-01-01"
OWNER = owner_in("test")
OLD, MOVED, FRESH = program("old"), program("moved"), program("fresh")
DATES = {
    "tool": {"1.0.0": "2023-05-01T10:00:00.000Z", "1.1.0": "2024-12-31T23:59:59.000Z", "2.0.0": "2026-02-01"},
    "young": {"1.0.0": "2025-01-01T00:00:00.000Z"},
    "stale": {"1.0.0": "2024-12-31T23:59:59.000Z"},
}


class NoIndex:
    """An index that nothing may be asked of."""


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """npm with the releases of DATES; tool 1.1.0 held three files. Says what it was asked for."""
    asked = []

    def npm_pack(specs, folder):
        asked.extend(specs)
        mapped = json.dumps({"sources": ["../src/before.ts"], "sourcesContent": [MOVED]})
        files = {"src/kept.ts": OLD, "dist/built.js": OLD, "dist/before.js.map": mapped}
        for spec in specs:
            name, _, version = spec.rpartition("@")
            tarball(folder / npm.tarball_name(name, version), {"name": name}, files)

    monkeypatch.setattr(npm, "npm_pack", npm_pack)
    monkeypatch.setattr(npm, "times", lambda name: asked.append(name) or DATES.get(name, {}))
    return asked


def package(tmp_path, name, version, files=None, owner=OWNER):
    archive = tarball(tmp_path / "tarballs" / npm.tarball_name(name, version), {"name": name}, files or {})
    return {"name": name, "version": version, "licence": "MIT", "owner": owner, "archive": archive}


def row(name, path, text, owner=OWNER):
    return {"package": name, "owner": owner, "path": path, "text": text}


def new_paths(tmp_path, rows, packages):
    kept = newer.only_new(rows, packages, newer.Earlier(tmp_path, DAY, NoIndex()))
    return [(r["package"], r["path"]) for r in kept]


def test_a_file_is_new_if_neither_its_path_nor_its_text_was_there(tmp_path, registry):
    fresh, moved = FRESH.split("\n"), MOVED.split("\n")
    rows = [
        row("tool", "src/fresh.ts", FRESH),
        row("tool", "src/kept.ts", FRESH),
        row("tool", "src/built.ts", FRESH),
        row("tool", "src/after.ts", MOVED),
        row("tool", "src/mostly-moved.ts", "\n".join(fresh[:40] + moved[:60])),
        row("tool", "src/mostly-fresh.ts", "\n".join(fresh[:60] + moved[:40])),
    ]
    expected = [("tool", "src/fresh.ts"), ("tool", "src/mostly-fresh.ts")]
    assert new_paths(tmp_path, rows, [package(tmp_path, "tool", "2.0.0")]) == expected
    assert registry == ["tool", "tool@1.1.0"]


def test_a_package_that_came_after_the_day_is_new_unless_its_text_is_of_a_sibling(tmp_path, registry):
    packages = [package(tmp_path, "tool", "2.0.0"), package(tmp_path, "young", "1.0.0")]
    rows = [row("young", "src/kept.ts", FRESH), row("young", "src/copy.ts", MOVED)]
    assert new_paths(tmp_path, rows, packages) == [("young", "src/kept.ts")]
    assert new_paths(tmp_path, rows, packages[1:]) == [("young", "src/kept.ts"), ("young", "src/copy.ts")]


def test_a_release_from_before_the_day_is_out_and_so_are_copies_of_it(tmp_path, registry):
    packages = [package(tmp_path, "stale", "1.0.0", {"a.ts": MOVED}), package(tmp_path, "young", "1.0.0")]
    rows = [row("stale", "a.ts", MOVED), row("young", "b.ts", MOVED), row("young", "c.ts", FRESH)]
    assert new_paths(tmp_path, rows, packages) == [("young", "c.ts")]


def test_a_package_without_dates_or_without_its_earlier_release_is_out(tmp_path, registry, monkeypatch, capsys):
    monkeypatch.setattr(npm, "npm_pack", lambda specs, folder: [])
    packages = [package(tmp_path, "tool", "2.0.0"), package(tmp_path, "unknown", "1.0.0")]
    rows = [row("tool", "src/fresh.ts", FRESH), row("unknown", "src/fresh.ts", FRESH)]
    assert new_paths(tmp_path, rows, packages) == []
    assert "unknown: no dates of its releases are to be had, left out" in capsys.readouterr().out
    assert not (tmp_path / "releases" / "npm-unknown.json").exists()


def test_an_old_line_that_was_published_late_is_not_new(tmp_path, registry):
    """On a mirror the date is that of the copy, so that an old version may look young."""
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "npm-tool.json").write_text(json.dumps({"1.0.0": "2026-01-01", "1.1.0": "2024-05-01"}))
    assert newer.Earlier(tmp_path, DAY, NoIndex()).archives(package(tmp_path, "tool", "1.0.0")) is None


def test_what_lay_in_the_repository_before_the_day_is_not_new(tmp_path, registry):
    """Earlier releases had left it out. What was committed on the day itself is new."""
    repository = tmp_path / "histories" / OWNER / "tool"
    repository.mkdir(parents=True)

    def commit(name, text, date):
        (repository / name).write_text(text)
        who = {f"GIT_{role}_{what}": "a@b.example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        env = {**os.environ, **who, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        for words in (["add", name], ["commit", "-qm", name]):
            subprocess.run(["git", "-C", repository, *words], check=True, env=env)

    subprocess.run(["git", "init", "-q", repository], check=True)
    rows = [row("young", "test/left-out.ts", OLD), row("young", "src/fresh.ts", FRESH)]
    packages = [package(tmp_path, "young", "1.0.0")]

    def kept():
        earlier = newer.Earlier(tmp_path, DAY, NoIndex())
        return [r["path"] for r in newer.only_new(rows, packages, earlier, tmp_path / "histories")]

    with pytest.raises(SystemExit, match=r"tool: git rev-list failed; clone it again, whole, or take it out"):
        kept()
    commit("fresh.ts", FRESH, "2025-01-01T00:00:01Z")
    assert kept() == ["test/left-out.ts", "src/fresh.ts"]
    shutil.rmtree(repository)
    subprocess.run(["git", "init", "-q", repository], check=True)
    commit("old.ts", OLD, "2024-12-31T23:59:59Z")
    commit("fresh.ts", FRESH, "2025-01-01T00:00:01Z")
    assert kept() == ["src/fresh.ts"]


def test_what_is_known_is_not_asked_again_and_a_correction_does_not_hide_the_highest_release(tmp_path, registry):
    DATES["lines"] = {"2.0.0": "2024-06-01", "1.9.1": "2024-07-01", "2.0.0-rc.1": "2024-05-01", "3.0.0": "2026-01-01"}
    wanted = package(tmp_path, "lines", "3.0.0")
    for _ in range(2):
        archives = newer.Earlier(tmp_path, DAY, NoIndex()).archives(wanted)
        assert [archive.name for archive in archives] == ["lines-1.9.1.tgz", "lines-2.0.0.tgz"]
    assert registry == ["lines", "lines@1.9.1", "lines@2.0.0"]


def test_source_distributions_come_from_the_index(tmp_path):
    class Index:
        def times(self, name):
            return {"1.0": "2024-01-01T00:00:00Z", "2.0": "2026-01-01T00:00:00Z"}

        def find(self, name, version):
            return type("Candidate", (), {"link": f"{name}-{version}.tar.gz"})()

        def download(self, link, folder):
            return tarball(folder / link, {}, {"src/kept.py": OLD})

    archive = tarball(tmp_path / "sdists" / "snake-2.0.tar.gz", {}, {})
    snake = {"name": "snake", "version": "2.0", "owner": OWNER, "file": archive.name, "archive": archive}
    rows = [row("snake", "kept.py", FRESH), row("snake", "fresh.py", FRESH)]
    kept = newer.only_new(rows, [snake], newer.Earlier(tmp_path, DAY, Index()))
    assert [r["path"] for r in kept] == ["fresh.py"]


def test_dates_as_npm_states_them(monkeypatch):
    answers = {
        "one": {"time": {"created": "2020", "1.0.0": "2021"}, "versions": "1.0.0"},
        "two": {"time": {"1.0.0": "2021", "1.1.0": "2022", "2.0.0": "2023"}, "versions": ["1.0.0", "2.0.0"]},
    }

    def run(command, **options):
        answer = answers.get(command[2])
        return subprocess.CompletedProcess(command, 0 if answer else 1, stdout=json.dumps(answer))

    monkeypatch.setattr(subprocess, "run", run)
    assert npm.times("one") == {"1.0.0": "2021"}
    assert npm.times("two") == {"1.0.0": "2021", "2.0.0": "2023"}
    assert npm.times("none") == {}


def test_dates_as_the_index_states_them():
    files = [
        {"filename": "snake-1.0.tar.gz", "upload-time": "2021"},
        {"filename": "snake-1.0-py3-none-any.whl", "upload-time": "2020"},
        {"filename": "snake-1.1.zip", "upload-time": "2022"},
        {"filename": "snake-1.2.tar.gz"},
    ]
    index = pypi.Index.__new__(pypi.Index)
    scope = type("Scope", (), {"index_urls": ["https://index.example/simple/"]})()
    index.finder = type("Finder", (), {"search_scope": scope})()
    asked = []

    class Session:
        def get(self, url, headers):
            asked.append(url)
            return type("Answer", (), {"json": lambda self: {"files": files}})()

    index.session = Session()
    assert index.times("snake") == {"1.0": "2021"}
    assert asked == ["https://index.example/simple/snake/"]


def test_the_command_writes_the_new_files_only(tiny, tmp_path, monkeypatch, capsys):
    """All packages of the tiny corpus are of version 1.0.0; one of the test owners' came after the day."""
    manifest = tiny.root / "manifest.json"
    packages = json.loads(manifest.read_text())["packages"]
    new = [p["name"] for p in packages if split_of(p["owner"]) == "test"][0]
    monkeypatch.setattr(npm, "times", lambda name: {"1.0.0": "2026-01-01" if name == new else "2024-01-01"})
    monkeypatch.setattr(pypi, "Index", NoIndex)
    monkeypatch.setattr(newer, "Index", NoIndex)
    out = tmp_path / "new"
    words = ["corpus", "folders", "--manifest", manifest, "--pypi", tmp_path / "none.json", "--out", out]
    tiny.run(*words, "--new-since", DAY)
    assert {path.name for path in out.glob("*/*")} == {new}
    assert f"new since {DAY}: 1 owners, 1 packages, " in capsys.readouterr().out
    with pytest.raises(SystemExit, match="--histories .*absent: no such folder; give one of clones, OWNER/NAME"):
        tiny.run(*words, "--new-since", DAY, "--histories", tmp_path / "absent")
    with pytest.raises(SystemExit):
        tiny.run(*words, "--new-since", "2025")
    assert "argument --new-since: 2025 is no date; give one like 2025-01-31" in capsys.readouterr().err
