"""The web shop: pages, graded purchases, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from proofgym.envs.worlds.shop import ShopWorld, WebShop
from proofgym.errors import BadInput

SHOP: dict[str, Any] = {
    "products": [
        {"brand": "Norel", "kind": "mug", "features": ["ceramic", "with lid"], "told": ["ceramic"], "price": 12.5,
         "options": {"colour": ["red", "navy"]}},
        {"brand": "Osmo", "kind": "mug", "features": ["ceramic"], "told": ["ceramic"], "price": 30.0,
         "options": {"colour": ["red"]}},
        {"brand": "Osmo", "kind": "lamp", "features": ["dimmable"], "told": [], "price": 20.0, "options": {}},
    ],
    "wanted": {"kind": "mug", "features": ["ceramic", "with lid"], "options": {"colour": "navy"}, "below": 20},
}  # fmt: skip


def played(*commands: str) -> tuple[float, dict[str, Any]]:
    env = WebShop()
    env.reset(options={"instance": SHOP})
    earned = 0.0
    for command in commands:
        _, reward, _, _, info = env.step(command)
        earned += reward
    return earned, info


def test_pages_are_shown_as_they_are() -> None:
    world = ShopWorld(SHOP)
    assert "buy a mug that is ceramic and with lid, in colour navy, for less than $20." in world.welcome()
    assert world.step("search[ceramic mug]") == (
        "2 results for 'ceramic mug', from 1:\n[P1] Norel ceramic mug $12.50\n[P2] Osmo ceramic mug $30.00\n"
        "[Back to search]"
    )
    assert world.step("search[lamp]").startswith("There is no search field on this page")
    assert world.step("Click[Buy]".lower()).startswith("There is no such button here.")
    assert world.step("click[p1]").startswith(
        "Norel ceramic mug\n$12.50\nFeatures: ceramic, with lid\ncolour: [red] [navy]"
    )
    assert "[navy]*" in world.step("click[navy]")
    assert world.step("click[Buy]") == "Thank you for your purchase."
    assert world.won


def test_a_purchase_is_paid_by_how_well_it_fits() -> None:
    perfect, info = played("search[mug]", "click[P1]", "click[navy]", "click[Buy]")
    assert perfect == pytest.approx(1.0)
    assert info["verdict"].correct
    almost, info = played("search[mug]", "click[P1]", "click[red]", "click[Buy]")
    assert almost == pytest.approx(3 / 4)
    assert info["verdict"].score == pytest.approx(3 / 4)
    dear, _ = played("search[mug]", "click[P2]", "click[Buy]")
    assert dear == pytest.approx(1 / 4)
    other, info = played("search[osmo]", "click[P3]", "click[Buy]")
    assert other == pytest.approx(0.0)
    assert info["verdict"].score == 0.0


def test_a_broken_shop_is_refused_with_the_reason() -> None:
    for changed, said in (
        ({"products": []}, "'products' is a list"),
        ({"wanted": {"kind": "mug"}}, "lacks 'features'"),
        ({"products": [{**SHOP["products"][0], "price": -1}]}, "price above 0"),
        ({"products": [{**SHOP["products"][0], "told": ["magic"]}]}, "features of the product"),
        (
            {"products": [{**SHOP["products"][0], "options": {"colour": ["Buy"]}}]},
            "one button of each text, found 'buy'",
        ),
        ({"products": [{**SHOP["products"][0], "options": {"a": ["red"], "b": ["Red"]}}]}, "found 'red' twice"),
    ):
        with pytest.raises(BadInput, match=said):
            ShopWorld({**SHOP, **changed})
    with pytest.raises(BadInput, match="cannot be reached"):
        WebShop().reset(options={"instance": {**SHOP, "wanted": {**SHOP["wanted"], "below": 1}}})
