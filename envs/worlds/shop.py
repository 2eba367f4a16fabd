"""A web shop: search a generated catalogue, open pages, choose options, and buy what was asked for, as in WebShop."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult
from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.base import WorldEnv
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["ShopWorld", "WebShop"]

_KINDS: Mapping[str, tuple[str, ...]] = {
    "shirt": ("cotton", "linen", "slim fit", "long sleeve", "machine washable", "button down"),
    "backpack": ("waterproof", "lightweight", "padded", "with laptop sleeve", "foldable"),
    "lamp": ("dimmable", "rechargeable", "energy saving", "with clamp", "touch control"),
    "mug": ("ceramic", "insulated", "with lid", "dishwasher safe", "handmade"),
    "headphones": ("wireless", "noise cancelling", "foldable", "over ear", "long battery"),
    "shoes": ("vegan", "non slip", "waterproof", "lightweight", "wide fit"),
}
_BRANDS = ("Norel", "Vanta", "Kubik", "Alder", "Pinto", "Rivka", "Osmo", "Tarn")
_COLOURS = ("black", "white", "red", "navy", "olive", "grey", "beige")
_SIZES = ("small", "medium", "large", "extra large")
_PAGE = 6
_SEARCH = re.compile(r"search\[(.{1,200})\]|search (.{1,200})")
_CLICK = re.compile(r"click\[(.{1,80})\]|click (.{1,80})")


class ShopWorld:
    """One state of a visit: which page is open, and what was chosen; the catalogue never changes."""

    won: bool
    lost: str

    def __init__(self, instance: Any) -> None:
        if not isinstance(instance, Mapping):
            raise BadInput(f"an instance is a JSON object, found {instance!r:.80}")
        fields.only(instance, "products", "wanted")
        products = instance["products"]
        if not isinstance(products, (list, tuple)) or not 1 <= len(products) <= 400:
            raise BadInput(f"'products' is a list of 1 to 400 products, found {products!r:.80}")
        self.products = [_product(row) for row in products]
        self.wanted = _wanted(instance["wanted"])
        self.words = [set(_title(product).lower().split()) for product in self.products]
        self.page, self.query, self.first, self.item = "home", "", 0, -1
        self.chosen: dict[str, str] = {}
        self.bought = self.won = False
        self.lost = ""

    def copy(self) -> ShopWorld:
        """A twin; neither sees what the other does."""
        other = object.__new__(ShopWorld)
        other.__dict__.update(self.__dict__)
        other.chosen = dict(self.chosen)
        return other

    def state(self) -> dict[str, Any]:
        """Everything that changes, as JSON content."""
        return {
            "page": self.page, "query": self.query, "first": self.first, "item": self.item, "bought": self.bought,
            "chosen": dict(self.chosen),
        }  # fmt: skip

    def restore(self, data: Any) -> None:
        """Take up a state that `state` wrote.

        Raises:
            BadInput: If it is no state of this shop.
        """
        if not isinstance(data, Mapping):
            raise BadInput(f"this is no state of a shop: {data!r:.80}")
        self.page = fields.one_of(data, "page", ("home", "results", "item"))
        self.query = fields.text(data, "query", least=0, most=200)
        self.first = fields.whole(data, "first", 0, len(self.products))
        self.item = fields.whole(data, "item", -1, len(self.products) - 1)
        self.bought = fields.flag(data, "bought")
        chosen = data.get("chosen")
        if not isinstance(chosen, Mapping) or not all(isinstance(value, str) for value in chosen.values()):
            raise BadInput(f"'chosen' maps options to values, found {chosen!r:.80}")
        self.chosen = dict(chosen)
        self._update()

    def welcome(self) -> str:
        """The first observation."""
        how = "Write search[WORDS] to search, and click[TEXT] to press what stands in brackets."
        return f"{self.task()}\n{how}\n{self.view()}"

    def task(self) -> str:
        """What is asked for, in words."""
        wanted = self.wanted
        features = " and ".join(wanted["features"])
        options = ", ".join(f"{option} {value}" for option, value in wanted["options"].items())
        return (
            f"Your task: buy a {wanted['kind']} that is {features}"
            + (f", in {options}" if options else "")
            + f", for less than ${wanted['below']}."
        )

    def view(self) -> str:
        """The page that is open."""
        if self.page == "home":
            return "[Search]"
        if self.page == "results":
            found = self.found()
            rows = [
                f"[P{i + 1}] {_title(self.products[i])} ${self.products[i]['price']:.2f}" for i in self.shown(found)
            ]
            more = ["[Next]"] if self.first + _PAGE < len(found) else []
            back = ["[Previous]"] if self.first else []
            head = f"{len(found)} results for '{self.query}', from {min(self.first + 1, len(found))}:"
            return "\n".join([head, *rows, " ".join([*back, *more, "[Back to search]"])])
        product = self.products[self.item]
        lines = [_title(product), f"${product['price']:.2f}", f"Features: {', '.join(product['features'])}"]
        for option, values in product["options"].items():
            marked = " ".join(f"[{value}]" + ("*" if self.chosen.get(option) == value else "") for value in values)
            lines.append(f"{option}: {marked}")
        return "\n".join([*lines, "[Buy] [Back to results] [Back to search]"])

    def map(self) -> str:
        """The task, what fits it, what is chosen, and the page that is open."""
        fitting = ", ".join(f"P{i + 1}" for i in range(len(self.products)) if self.fits(i))
        chosen = ", ".join(f"{option} {value}" for option, value in self.chosen.items())
        bought = " (bought)" if self.bought else ""
        return f"{self.task()}\nfits: {fitting or '-'}\nchosen: {chosen or '-'}{bought}\n\n{self.view()}"

    def found(self) -> list[int]:
        """Products by how many words of the query their titles have, best first; none without any."""
        words = set(self.query.lower().split())
        scores = [(-len(words & title), i) for i, title in enumerate(self.words)]
        return [i for score, i in sorted(scores) if score < 0]

    def shown(self, found: Sequence[int]) -> Sequence[int]:
        """The products on this page of results."""
        return found[self.first : self.first + _PAGE]

    def buttons(self) -> list[str]:
        """What can be clicked."""
        if self.page == "home":
            return []
        if self.page == "results":
            found = self.found()
            names = [f"P{i + 1}" for i in self.shown(found)]
            names += ["Next"] * (self.first + _PAGE < len(found)) + ["Previous"] * (self.first > 0)
            return [*names, "Back to search"]
        values = [value for values in self.products[self.item]["options"].values() for value in values]
        return [*values, "Buy", "Back to results", "Back to search"]

    def admissible(self) -> list[str]:
        """Every click, and on the search page a search for the kind that is asked for."""
        if self.bought:
            return []
        clicks = [f"click[{name}]" for name in self.buttons()]
        return sorted([*clicks, f"search[{self.wanted['kind']}]"] if self.page == "home" else clicks)

    def step(self, command: str) -> str:
        """Carry out a command and show the page."""
        command = " ".join(command.split())[:300]
        search, click = _SEARCH.fullmatch(command), _CLICK.fullmatch(command)
        if search and self.page == "home":
            self.page, self.query, self.first = "results", (search[1] or search[2]).strip(), 0
            return self.view()
        if search:
            return f"There is no search field on this page: click[Back to search] first.\n{self.view()}"
        name = (click[1] or click[2]).strip().lower() if click else ""
        button = next((button for button in self.buttons() if button.lower() == name), None)
        if button is None:
            return f"There is no such button here.\n{self.view()}" if click else (
                f"Write search[WORDS] or click[TEXT].\n{self.view()}")  # fmt: skip
        self._press(button)
        self._update()
        return "Thank you for your purchase." if self.bought else self.view()

    def score(self) -> float:
        """How well what is chosen fits: the share of features, options and price that do; 0 for another kind."""
        product, wanted = self.products[self.item], self.wanted
        if self.item < 0 or product["kind"] != wanted["kind"]:
            return 0.0
        points = [feature in product["features"] for feature in wanted["features"]]
        points += [self.chosen.get(option) == value for option, value in wanted["options"].items()]
        points.append(product["price"] < wanted["below"])
        return sum(points) / len(points)

    def fits(self, i: int) -> bool:
        """Whether a product can be bought so that everything fits."""
        product, wanted = self.products[i], self.wanted
        return (
            product["kind"] == wanted["kind"]
            and product["price"] < wanted["below"]
            and set(wanted["features"]) <= set(product["features"])
            and all(value in product["options"].get(option, ()) for option, value in wanted["options"].items())
        )

    def plan(self) -> list[str] | None:
        """Commands to a perfect purchase: by a search for a fitting product's title."""
        if self.bought:
            return [] if self.won else None
        if self.page == "item" and self.fits(self.item):
            left = [v for option, v in self.wanted["options"].items() if self.chosen.get(option) != v]
            return [*(f"click[{value}]" for value in left), "click[Buy]"]
        options = [f"click[{value}]" for value in self.wanted["options"].values()]
        if self.page == "results":
            here = next((i for i in self.shown(self.found()) if self.fits(i)), None)
            if here is not None:
                return [f"click[P{here + 1}]", *options, "click[Buy]"]
        away = [] if self.page == "home" else ["click[Back to search]"]
        for i in range(len(self.products)):
            if self.fits(i):
                trial = self.copy()
                trial.page, trial.query, trial.first = "results", _title(self.products[i]), 0
                if i in trial.shown(trial.found()):
                    return [*away, f"search[{trial.query}]", f"click[P{i + 1}]", *options, "click[Buy]"]
        return None

    def _press(self, button: str) -> None:
        if button == "Back to search":
            self.page, self.item, self.chosen = "home", -1, {}
        elif button == "Back to results":
            self.page, self.item, self.chosen = "results", -1, {}
        elif button in ("Next", "Previous"):
            self.first += _PAGE if button == "Next" else -_PAGE
        elif button == "Buy":
            self.bought = True
        elif self.page == "results":
            self.page, self.item, self.chosen = "item", int(button[1:]) - 1, {}
        else:
            options = self.products[self.item]["options"]
            option = next(option for option, values in options.items() if button in values)
            self.chosen = {**self.chosen, option: button}

    def _update(self) -> None:
        score = self.score() if self.bought else 0.0
        self.won = self.bought and score == 1.0
        self.lost = f"what was bought fits to {score:.0%}" if self.bought and not self.won else ""


def _title(product: Mapping[str, Any]) -> str:
    return f"{product['brand']} {' '.join(product['told'])} {product['kind']}"


def _product(row: Any) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise BadInput(f"a product is an object, found {row!r:.80}")
    fields.only(row, "brand", "kind", "features", "told", "price", "options")
    price, options = row["price"], row["options"]
    if isinstance(price, bool) or not isinstance(price, (int, float)) or not 0 < price < 10**6:
        raise BadInput(f"a product has a price above 0, found {price!r:.40}")
    if not isinstance(options, Mapping):
        raise BadInput(f"a product's options map names to values, found {options!r:.80}")
    features = fields.texts(row, "features", most=20, longest=60)
    told = fields.texts(row, "told", least=0, most=20, longest=60)
    if not set(told) <= set(features):
        raise BadInput(f"what a title tells are features of the product, found {told!r:.80}")
    values = {str(option): fields.texts(options, option, most=12, longest=40) for option in options}
    buttons = [value.lower() for each in values.values() for value in each] + [
        "buy",
        "back to results",
        "back to search",
    ]
    twice = next((text for text in buttons if buttons.count(text) > 1), None)
    if twice is not None:
        raise BadInput(f"a product's page has one button of each text, found {twice!r:.40} twice")
    return {
        "brand": fields.text(row, "brand", most=40), "kind": fields.text(row, "kind", most=40), "features": features,
        "told": told, "price": float(price),
        "options": values,
    }  # fmt: skip


def _wanted(data: Any) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise BadInput(f"'wanted' is an object, found {data!r:.80}")
    fields.only(data, "kind", "features", "options", "below")
    options = data["options"]
    if not isinstance(options, Mapping) or not all(isinstance(value, str) for value in options.values()):
        raise BadInput(f"the wanted options map names to values, found {options!r:.80}")
    return {
        "kind": fields.text(data, "kind", most=40), "features": fields.texts(data, "features", most=10, longest=60),
        "options": dict(options), "below": fields.whole(data, "below", 1, 10**6),
    }  # fmt: skip


class WebShop(WorldEnv):
    """Asks for a purchase in a web shop: search, open pages, choose options, buy; one command a turn.

    Observation: first the task, then the page that is open, buttons in brackets.
    Action: `search[WORDS]` or `click[TEXT]`, on the last line.
    Episode: terminated by a purchase, truncated after 20 commands.

    A purchase earns the share of what was asked for that it fits (features, options, price), nothing if it is another
    kind of thing: the whole episode earns 1.0 for a perfect one and, say, 0.6 for one that fits to 60 %. Until then
    commands are paid by the plan to a perfect purchase, as `WorldEnv` says. Titles tell some features only; the
    others stand on the product's page.

    Args:
        level: 12 products and two features at 0; 120 products, four features and two options at 1.
    """

    family = "web_shop"
    floor: float = 0.5
    default_max_turns: ClassVar[int] = 20

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        while True:
            instance = _draw(rng, self.level)
            world = ShopWorld(instance)
            if world.plan():
                return instance

    def build(self, instance: Mapping[str, Any]) -> ShopWorld:
        return ShopWorld(instance)

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the number of products."""
        return min(1.0, len(self.first(instance).products) / 120)

    def potential(self) -> float:
        """After a purchase, how well it fits; before, by the commands that are left to a perfect one."""
        if self._world is not None and self._world.bought:
            return float(self._world.score())
        return super().potential()

    def turn(self, action: str) -> TurnResult:
        result = super().turn(action)
        if not self._world.lost:
            return result
        score = self._world.score()
        verdict = Verdict.partial(min(score, 1 - 1e-9), self._world.lost, fit=score)
        return TurnResult(result.observation, result.credits, verdict, terminated=True)

    def cheats(self) -> Sequence[str]:
        return (
            *super().cheats(),
            "click[Buy]",
            "buy",
            "search[]",
            "click[]",
            "click[P1]",
            "click[P0]",
            "search[",
            "click[P-1]",
        )


def _draw(rng: np.random.Generator, level: float) -> dict[str, Any]:
    def some(options: Sequence[str], count: int) -> list[str]:
        return [options[i] for i in rng.permutation(len(options))[:count].tolist()]

    kinds = some(sorted(_KINDS), 3 + round(2 * level))
    products: list[dict[str, Any]] = []
    for _ in range(12 + round(108 * level)):
        kind = kinds[int(rng.integers(len(kinds)))]
        features = some(_KINDS[kind], 2 + int(rng.integers(3)))
        options = {"colour": some(_COLOURS, 2 + int(rng.integers(3)))}
        if kind in ("shirt", "shoes", "backpack"):
            options["size"] = [size for size in _SIZES if float(rng.random()) < 0.7] or ["medium"]
        told = features[: 1 + int(rng.integers(len(features)))]
        price = round(float(rng.uniform(8, 90)), 2)
        brand = _BRANDS[int(rng.integers(len(_BRANDS)))]
        products.append({"brand": brand, "kind": kind, "features": features, "told": told, "price": price,
                         "options": options})  # fmt: skip
    model = products[int(rng.integers(len(products)))]
    features = some(model["features"], 2 + round(2 * level))
    chosen = list(model["options"])[: 1 + round(level)]
    wanted = {option: model["options"][option][int(rng.integers(len(model["options"][option])))] for option in chosen}
    below = int(model["price"]) + 1 + int(rng.integers(10))
    return {
        "products": products,
        "wanted": {"kind": model["kind"], "features": features, "options": wanted, "below": below},
    }
