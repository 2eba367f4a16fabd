"""Environments on a Ray cluster: the episodes played here, also when a node dies under them."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
import pytest

import proofgym
from proofgym.agents.ray_workers import ray_envs
from proofgym.agents.rollout import Item, rollout
from proofgym.agents.scripted import RandomPlayer
from proofgym.agents.workers import close_all
from proofgym.envs.base import fork
from proofgym.errors import BadInput

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray leaves sockets and files to the end
ray = pytest.importorskip("ray")
SUDOKU = functools.partial(proofgym.make, "Sudoku4Steps", max_turns=6)


class Blind(RandomPlayer):
    """Asks no environment for its legal actions, which a remote one does not show."""

    def seat(self, envs: Any, items: Any) -> Any:
        return RandomPlayer.seat(self, [gymnasium.Env() for _ in envs], items)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    ray.init(address=made.address, log_to_driver=False, logging_level="error")
    yield made
    ray.shutdown()
    made.shutdown()


def test_episodes_in_the_cluster_are_those_played_here_though_a_node_dies(cluster: Any) -> None:
    second = cluster.add_node(num_cpus=2, resources={"second": 2})
    cluster.wait_for_nodes()
    items = [Item(3, index, sample) for index in range(12) for sample in range(2)]
    here = list(rollout(Blind(4), [SUDOKU() for _ in range(6)], items))
    envs = ray_envs(SUDOKU, 6, cpus=1.0)
    there = []
    for episode in rollout(Blind(4), envs, items):
        there.append(episode)
        if len(there) == 3:  # the other three of this batch have been played; six batches are to come
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                cluster.remove_node(second)
    assert not [episode.fault for episode in there if episode.unjudged]
    assert [episode.line() for episode in there] == [episode.line() for episode in here]
    assert max(env.host.life for env in envs) >= 1  # type: ignore[attr-defined]
    close_all(envs)


def test_an_episode_goes_on_when_its_actor_is_killed_between_two_turns(cluster: Any) -> None:
    env, twin = ray_envs(SUDOKU, 1)[0], SUDOKU()
    env.reset_item(5, 2)  # type: ignore[attr-defined]
    twin.reset(seed=5, options={"index": 2})
    for kill in (False, True, False, True):
        if kill:
            ray.kill(env.host._actor)  # type: ignore[attr-defined]
        move = twin.unwrapped.oracle()  # type: ignore[attr-defined]
        assert env.step(move) == twin.step(move)
    ray.kill(env.host._actor)  # type: ignore[attr-defined]
    copy = fork(env)
    move = twin.unwrapped.oracle()  # type: ignore[attr-defined]
    expected = twin.step(move)
    assert copy.step(move) == expected
    assert env.step(move) == expected
    with pytest.raises(BadInput):
        env.set_level(7.0)  # type: ignore[attr-defined]
    close_all([env])
