"""Arms from one start, the table of them, and what is refused."""

import json

import numpy as np
import pytest
import torch

from thoughtline_train import ablate, data, measure
from thoughtline_train.protocol import SHAPE, STEP_SHARE, Protocol

THINK = {"trunk_layers": 1, "thought_vectors": 2, "batch": 4, "chunks": 2, "chunk": 32, "length": 64, "suffix": 16}


PRETRAIN = {
    "width": 32,
    "layers": 3,
    "trunk_layers": 1,
    "heads": 4,
    "kv_heads": 2,
    "hidden": 64,
    "vocabulary": 500,
    "spaces": 1,
    "batch": 4,
}


def written(tmp_path, *arms: dict, command: str = "think", **more):
    path = tmp_path / "arms.json"
    base = THINK if command == "think" else PRETRAIN
    path.write_text(json.dumps({"groups": [{"group": "some", "command": command, "base": base, "arms": arms, **more}]}))
    return path


def arm(name: str, **options) -> dict:
    return {"name": name, "question": f"what of {name}?", "prediction": "none", "options": options}


def test_arms_start_from_one_decoder_and_are_measured_on_the_same_files(tiny, pretrained, tmp_path, capsys):
    arms = written(tmp_path, arm("vectors", thought_vectors=3), arm("upper", trunk_layers=2), arm("few", most_steps=2))
    words = [
        "ablate",
        "--arms",
        arms,
        "--group",
        "some",
        "--start-from",
        pretrained,
        "--run",
        tmp_path / "runs",
        "--minutes",
        0.001,
        "--files",
        6,
    ]
    tiny.run(*words, "--only", "base", "vectors", "upper")
    table = capsys.readouterr().out.splitlines()
    rows = {row.split(" | ")[0].strip("| "): row for row in table if row.startswith("| ")}
    assert {"base", "vectors", "upper"} < set(rows) and "few" not in rows
    assert "±" in rows["vectors"] and "±" not in rows["base"] and "what of upper?" in rows["upper"]
    states = {
        name: torch.load(tmp_path / "runs" / name / "state.pt", weights_only=True)
        for name in ("base", "vectors", "upper")
    }
    assert [
        states[name]["config"][key] for name, key in (("vectors", "thought_vectors"), ("upper", "trunk_layers"))
    ] == [3, 2]
    assert not any(key.startswith("stack.1.thought_") for key in states["upper"]["decoder"])
    results = [json.loads((tmp_path / "runs" / name / "result.json").read_text()) for name in states]
    assert results[0]["tokens"] == results[1]["tokens"] == results[2]["tokens"]
    assert len(results[0]["tokens"]) > 1

    # What is there is not run again.
    (tmp_path / "runs" / "base" / "state.pt").unlink()
    tiny.run(*words, "--only", "base")
    assert not (tmp_path / "runs" / "base" / "state.pt").exists()


def test_what_thinks_already_is_measured_as_it_is(tiny, thinking, tmp_path, monkeypatch, capsys):
    for name in SHAPE:
        monkeypatch.delitem(THINK, name, raising=False)
    words = [
        "ablate",
        "--arms",
        written(tmp_path),
        "--group",
        "some",
        "--start-from",
        thinking,
        "--run",
        tmp_path / "runs",
        "--minutes",
        0.001,
    ]
    tiny.run(*words, "--files", 4)
    base, start = (json.loads((tmp_path / "runs" / name / "result.json").read_text()) for name in ("base", "start"))
    assert base["tokens"] == start["tokens"] and base["nats"] != start["nats"] and start["steps"] == 0 < base["steps"]
    assert not (tmp_path / "runs" / "start" / "state.pt").exists()
    assert "| start | no training |" in capsys.readouterr().out


def test_a_thought_of_another_shape_is_learned_from_the_beginning(pretrained):
    from thoughtline_train.loop import load_decoder
    from thoughtline_train.think import anew

    decoder = load_decoder(pretrained)[0]
    fresh = anew(decoder, {"trunk_layers": 2})
    x = torch.randint(5, 600, (2, 20))
    y = x.roll(-1, 1)
    # Its output projections are zero: no thought changes anything yet.
    z = torch.randn(2, fresh.config.top_layers, fresh.config.thought_vectors, fresh.config.width)
    torch.testing.assert_close(fresh(x, y, z), decoder(x, y))


def test_differences_are_paired_over_files():
    base = {"nats": {"T=4": [10.0, 20.0]}, "bytes": [10, 20]}
    better = {"nats": {"T=4": [9.0, 16.0]}, "bytes": [10, 20]}
    gap = np.array([-0.1, -0.2]) / np.log(2)
    assert ablate.difference(better, base, "T=4") == f"{gap.mean():+.4f} ± {gap.std(ddof=1) / 2**0.5:.4f}"


def test_an_unknown_option_or_arm_is_named(tiny, pretrained, tmp_path):
    with pytest.raises(SystemExit, match="arms.json: odd: no option colour; there are adam"):
        ablate.read_groups(written(tmp_path, arm("odd", colour=3)))
    words = ["ablate", "--arms", written(tmp_path), "--run", tmp_path]
    with pytest.raises(SystemExit, match="--only none: no such arm"):
        tiny.run(*words, "--group", "some", "--start-from", pretrained, "--only", "none")
    with pytest.raises(SystemExit, match="--group other: no such group in .*; there are some"):
        tiny.run(*words, "--group", "other", "--start-from", pretrained)
    with pytest.raises(SystemExit, match="--group some: give the state that its arms begin with"):
        tiny.run(*words, "--group", "some")


def test_the_arms_that_are_kept_can_be_read():
    from thoughtline_train.__main__ import TRAIN

    groups = ablate.read_groups(TRAIN / "ablations.json")
    assert {group.command for group in groups} == set(ablate.KNOWN)
    for group in groups:
        asked = [a for a in group.arms if a.name not in (ablate.BASE, ablate.START)]
        assert len({a.name for a in group.arms}) == len(group.arms) and all(a.prediction for a in asked)


def test_arms_with_tokenizers_of_their_own_are_measured_in_bits_of_the_same_bytes(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(measure, "PIECE", 600)
    arms = written(
        tmp_path, arm("large", vocabulary=700), arm("within", spaces=0), arm("seed", seed=2), command="pretrain"
    )
    tiny.run("ablate", "--arms", arms, "--group", "some", "--run", tmp_path / "runs", "--minutes", 0.001, "--files", 6)
    results = {
        name: json.loads((tmp_path / "runs" / name / "result.json").read_text())
        for name in ("base", "large", "within", "seed")
    }
    assert len({tuple(result["bytes"]) for result in results.values()}) == 1
    tokens = {name: sum(result["tokens"]) for name, result in results.items()}
    assert tokens["large"] < tokens["base"] == tokens["seed"] < tokens["within"]
    bits = [sum(result["nats"]["text"]) / np.log(2) / sum(result["bytes"]) for result in results.values()]
    # Hardly trained: about as many bits as tokens of equal chance would take.
    assert all(1 < value < 8 for value in bits) and len(set(bits)) == 4
    assert capsys.readouterr().out.count("±") == 3


def test_windows_of_any_length_are_scored_on_the_same_last_tokens(tiny, pretrained, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "TAIL_BEFORE", 128)
    arms = written(tmp_path, arm("long", length=128), tail=40)
    words = [
        "ablate",
        "--arms",
        arms,
        "--group",
        "some",
        "--start-from",
        pretrained,
        "--run",
        tmp_path / "runs",
        "--minutes",
        0.001,
    ]
    tiny.run(*words, "--files", 4)
    base, long = (json.loads((tmp_path / "runs" / name / "result.json").read_text()) for name in ("base", "long"))
    assert base["tokens"] == long["tokens"] == [40] * 4 and base["bytes"] == long["bytes"]
    assert base["nats"]["T=4"] != long["nats"]["T=4"]


def test_steps_are_drawn_from_what_is_allowed():
    assert sum(Protocol().step_share.values()) == pytest.approx(1) and list(Protocol().step_share) == list(STEP_SHARE)
    assert list(Protocol(most_steps=3).step_share) == [1, 2, 3]
    with pytest.raises(SystemExit, match="--fewest-steps 5 --most-steps 5: give a range"):
        _ = Protocol(fewest_steps=5, most_steps=5).step_share
