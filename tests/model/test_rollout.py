"""Shards part the accounts, each into one; waves keep their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadstate.model.rollout import Rollout, Shard

NAMES = st.lists(st.text(min_size=1), unique=True)


@given(NAMES, st.integers(1, 20))
def test_every_account_is_in_one_shard(names: list[str], of: int) -> None:
    shards = [Shard(number, of) for number in range(1, of + 1)]
    assert all(sum(shard.holds(name) for shard in shards) == 1 for name in names)


def test_a_shard_is_the_same_on_every_machine() -> None:
    assert [name for name in ("emea", "us", "apac", "latam") if Shard.parse("1/2").holds(name)] == ["us", "apac"]
    assert str(Shard.parse("2/4")) == "2/4"


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/0", "a/b", "1/2/3", "-1/2", ""])
def test_an_invalid_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a shard"):
        Shard.parse(text)


@given(st.lists(st.integers()), st.lists(st.sampled_from(["1", "3", "10%", "50%", "100%"])))
def test_waves_hold_every_item_in_order(items: list[int], sizes: list[str]) -> None:
    waves = Rollout.parse(",".join([*sizes, "rest"])).waves(items)
    assert [item for wave in waves for item in wave] == items
    assert all(waves)


def test_wave_sizes_are_numbers_or_percentages() -> None:
    assert [len(wave) for wave in Rollout.parse("1, 10%,rest").waves(range(25))] == [1, 3, 21]
    assert [len(wave) for wave in Rollout.parse("1%,rest").waves(range(2))] == [1, 1]
    assert [len(wave) for wave in Rollout.parse("5,rest").waves(range(3))] == [3]


@pytest.mark.parametrize("text", ["", "1", "0,rest", "101%,rest", "x,rest", "-1,rest", "rest,1", "1.5,rest", ",rest"])
def test_invalid_waves_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not the size of a wave|does not end"):
        Rollout.parse(text)


def test_what_is_no_text_is_no_rollout() -> None:
    with pytest.raises(TypeError, match="a rollout is a text like 1,10%,rest, not 3"):
        Rollout.parse(3)  # type: ignore[arg-type]  # what is refused
