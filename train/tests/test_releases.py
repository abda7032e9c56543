import json

import pytest
from conftest import owner_in, program, tarball

from thoughtline_train import releases
from thoughtline_train.corpus.npm import tarball_name


@pytest.fixture
def pinned(tmp_path):
    """Two releases of one package of a test owner, already fetched."""
    owner = owner_in("test")
    meta = {"name": "@scope/name", "license": "MIT", "repository": f"https://github.com/{owner}/name"}
    for version, seed in (("1.0.0", "old"), ("1.1.0", "new")):
        files = {
            "src/a.ts": program(seed).replace("\n", "\r\n"),
            "src/copy.ts": program(seed),
            "src/types.d.ts": program("types"),
            "../escape.ts": program("escape"),
        }
        tarball(tmp_path / "tarballs" / tarball_name("@scope/name", version), {**meta, "version": version}, files)
    path = tmp_path / "releases.json"
    row = {"name": "@scope/name", "owner": owner, "licence": "MIT", "versions": ["1.0.0", "1.1.0"]}
    path.write_text(json.dumps({"packages": [row]}))
    return tmp_path, path, row


def test_releases_are_laid_out_as_package_version_path(pinned):
    cache, path, _ = pinned
    stale = cache / "releases" / "scope+name" / "0.9.0" / "a.ts"
    stale.parent.mkdir(parents=True)
    stale.write_text("left by another pin")
    releases.releases(path, cache)
    found = {str(p.relative_to(cache / "releases")): p.read_bytes().decode() for p in (cache / "releases").rglob("*.ts")}
    assert found == {
        "scope+name/1.0.0/src/a.ts": program("old"),
        "scope+name/1.1.0/src/a.ts": program("new"),
    }
    assert not (cache / "escape.ts").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"owner": owner_in("train")}, "is no test owner"),
        ({"versions": ["1.0.0"]}, "versions: give at least two"),
        ({"owner": owner_in("test", 1)}, "is pinned"),
    ],
)
def test_a_wrong_pin_is_refused(pinned, change, message):
    cache, path, row = pinned
    path.write_text(json.dumps({"packages": [{**row, **change}]}))
    with pytest.raises(SystemExit, match=message):
        releases.releases(path, cache)


def test_a_licence_that_is_not_permissive_is_refused(pinned):
    cache, path, row = pinned
    archive = cache / "tarballs" / tarball_name("@scope/name", "1.1.0")
    tarball(archive, {"name": "@scope/name", "license": "GPL-3.0", "repository": f"{row['owner']}/name"}, {})
    with pytest.raises(SystemExit, match="GPL-3.0: not permissive"):
        releases.releases(path, cache)


@pytest.mark.parametrize("path", ["../a.ts", "src/../../a.ts", "/a.ts", "C:\\a.ts", "a\\b.ts", "a:b.ts", "", "a\0.ts"])
def test_paths_that_leave_the_folder_are_not_written(path):
    assert not releases.inside(path)


def test_the_committed_pins_are_those_of_test_owners():
    rows = releases.read_pinned(releases.Path(__file__).parent.parent / "corpus" / "releases.json")
    assert len(rows) >= 10
    assert all(row["versions"] == sorted(row["versions"], key=lambda v: [int(n) for n in v.split(".")]) for row in rows)
