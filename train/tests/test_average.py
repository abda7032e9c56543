"""The mean of runs that went on from one start."""

import pytest
import torch

from thoughtline_train.average import average


@pytest.fixture
def went_on(thinking, tmp_path):
    """A state, and one that went on from it: everything a little further."""
    state = torch.load(thinking, weights_only=True)
    for part in ("decoder", "thought"):
        state[part] = {name: value + 1 for name, value in state[part].items()}
    torch.save(state, tmp_path / "other.pt")
    return thinking, tmp_path / "other.pt"


def test_weights_and_prior_are_means_and_the_steps_are_the_first_ones(tiny, went_on, tmp_path):
    tiny.run("average", *went_on, "--run", tmp_path / "mean")
    first, mean = (torch.load(path, weights_only=True) for path in (went_on[0], tmp_path / "mean" / "state.pt"))
    for name, value in first["decoder"].items():
        torch.testing.assert_close(mean["decoder"][name], value + 0.5)
    torch.testing.assert_close(mean["thought"]["prior"], first["thought"]["prior"] + 0.5)
    torch.testing.assert_close(mean["thought"]["log_size"], first["thought"]["log_size"])
    assert mean["clock"] == first["clock"] and "optimiser" not in mean


def test_a_run_goes_on_from_it(tiny, went_on, tmp_path):
    average([*went_on], tmp_path / "mean")
    start = tmp_path / "mean" / "state.pt"
    tiny.run(
        "pretrain",
        "--run",
        tmp_path / "more",
        "--start-from",
        start,
        "--minutes",
        0.01,
        "--batch",
        2,
        "--length",
        64,
        "--suffix",
        16,
    )
    assert (tmp_path / "more" / "state.pt").exists()


def test_decoders_of_two_shapes_are_refused_by_name(went_on, tmp_path):
    other = torch.load(went_on[1], weights_only=True)
    other["config"] = {**other["config"], "layers": 9}
    torch.save(other, went_on[1])
    with pytest.raises(SystemExit, match=r"other\.pt: another shape of decoder"):
        average([*went_on], tmp_path / "mean")


def test_of_runs_that_think_the_steps_are_means_too(tiny, went_on, tmp_path):
    tiny.run("average", *went_on, "--run", tmp_path / "mean", "--steps")
    first, mean = (
        torch.load(path, weights_only=True)["thought"] for path in (went_on[0], tmp_path / "mean" / "state.pt")
    )
    for name in ("log_size", "pull_logit", "deviation"):
        torch.testing.assert_close(mean[name], first[name] + 0.5)
