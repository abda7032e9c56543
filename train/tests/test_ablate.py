"""Arms from one start, the table of them, and what is refused."""

import json

import numpy as np
import pytest
import torch

from thoughtline_train import ablate
from thoughtline_train.protocol import STEP_SHARE, Protocol

BASE = {"trunk_layers": 1, "thought_vectors": 2, "batch": 4, "chunks": 2, "chunk": 32, "length": 64, "suffix": 16}


def written(tmp_path, *arms: dict):
    path = tmp_path / "arms.json"
    path.write_text(json.dumps({"base": BASE, "arms": arms}))
    return path


def arm(name: str, **options) -> dict:
    return {"name": name, "question": f"what of {name}?", "prediction": "none", "options": options}


def test_arms_start_from_one_decoder_and_are_measured_on_the_same_files(tiny, pretrained, tmp_path, capsys):
    arms = written(tmp_path, arm("vectors", thought_vectors=3), arm("upper", trunk_layers=2), arm("few", most_steps=2))
    words = ["ablate", "--arms", arms, "--start-from", pretrained, "--run", tmp_path / "runs", "--minutes", 0.001, "--files", 6]
    tiny.run(*words, "--only", "base", "vectors", "upper")
    table = capsys.readouterr().out.splitlines()
    rows = {row.split(" | ")[0].strip("| "): row for row in table if row.startswith("| ")}
    assert {"base", "vectors", "upper"} < set(rows) and "few" not in rows
    assert "±" in rows["vectors"] and "±" not in rows["base"] and "what of upper?" in rows["upper"]
    states = {name: torch.load(tmp_path / "runs" / name / "state.pt", weights_only=True) for name in ("base", "vectors", "upper")}
    assert [states[name]["config"][key] for name, key in (("vectors", "thought_vectors"), ("upper", "trunk_layers"))] == [3, 2]
    assert not any(key.startswith("stack.1.thought_") for key in states["upper"]["decoder"])
    results = [json.loads((tmp_path / "runs" / name / "result.json").read_text()) for name in states]
    assert results[0]["tokens"] == results[1]["tokens"] == results[2]["tokens"]
    assert len(results[0]["tokens"]) > 1

    # What is there is not run again.
    (tmp_path / "runs" / "base" / "state.pt").unlink()
    tiny.run(*words, "--only", "base")
    assert not (tmp_path / "runs" / "base" / "state.pt").exists()


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
    base = {"nats": {"T=4": [10.0, 20.0]}, "tokens": [10, 10]}
    better = {"nats": {"T=4": [9.0, 18.0]}, "tokens": [10, 10]}
    gap = np.array([-0.1, -0.2])
    assert ablate.difference(better, base) == f"{gap.mean():+.4f} ± {gap.std(ddof=1) / 2**0.5:.4f}"


def test_an_unknown_option_or_arm_is_named(tiny, pretrained, tmp_path):
    with pytest.raises(SystemExit, match="arms.json: odd: no option colour; there are adam"):
        ablate.read_arms(written(tmp_path, arm("odd", colour=3)))
    with pytest.raises(SystemExit, match="--only none: no such arm"):
        arms = written(tmp_path)
        tiny.run("ablate", "--arms", arms, "--start-from", pretrained, "--run", tmp_path, "--only", "none")


def test_the_arms_that_are_kept_can_be_read():
    from thoughtline_train.__main__ import TRAIN

    arms = ablate.read_arms(TRAIN / "ablations.json")
    assert len({a.name for a in arms}) == len(arms) and all(a.prediction for a in arms[1:])


def test_steps_are_drawn_from_what_is_allowed():
    assert sum(Protocol().step_share.values()) == pytest.approx(1) and list(Protocol().step_share) == list(STEP_SHARE)
    assert list(Protocol(most_steps=3).step_share) == [1, 2, 3]
    with pytest.raises(SystemExit, match="--fewest-steps 5 --most-steps 5: give a range"):
        _ = Protocol(fewest_steps=5, most_steps=5).step_share
