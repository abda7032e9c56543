import pytest
import torch

from thoughtline_train.threads import Threads, wanted


@pytest.mark.parametrize(
    "threads, share, free, expected",
    [
        (2, 0.98, 0.0, 2),  # the machine is ours
        (2, 0.6, 0.0, 1),  # somebody else takes half a core
        (1, 0.98, 0.1, 1),  # and still does
        (1, 0.98, 1.0, 2),  # and is gone
        (2, 0.98, 1.0, 2),  # never more than there are cores
        (1, 0.3, 0.0, 1),  # never none
    ],
)
def test_threads_follow_what_the_machine_has_to_give(threads, share, free, expected):
    assert wanted(threads, 2, share, free) == expected


def test_other_devices_are_left_alone():
    threads = Threads(torch.device("cuda"))
    threads.settle()
    assert not threads.active


def test_a_fixed_number_is_kept():
    before = torch.get_num_threads()
    try:
        assert not Threads(torch.device("cpu"), 3).active and torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
