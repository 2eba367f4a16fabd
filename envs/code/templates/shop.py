"""A shop: a catalogue, price rules, a cart, and an invoice."""

from __future__ import annotations

from typing import Any

from proofgym.envs.code.program import Draw
from proofgym.envs.code.templates.repository import Repository, fill, template

_CATALOGUE = '''
"""What is for sale."""


class Unknown(KeyError):
    """An article that is not in the catalogue."""


class Catalogue:
    def __init__(self):
        self.prices = {}
        self.groups = {}

    def add(self, code, price, group="@group@"):
        if price < 0:
            raise ValueError("a price is 0 or more")
        self.prices[code] = price
        self.groups[code] = group

    def price(self, code):
        if code not in self.prices:
            raise Unknown(code)
        return self.prices[code]

    def group(self, code):
        return self.groups[code]

    def cheapest(self, group):
        codes = [code for code in self.prices if self.groups[code] == group]
        return min(codes, key=lambda code: (self.prices[code], code)) if codes else None
'''
_RULES = '''
"""Rules for discounts, in cents. All of them round down."""

BULK_FROM = @bulk@
BULK_PERCENT = @bulk_percent@
FREE_EVERY = @free@


def bulk(price, count):
    """The price of count pieces: from BULK_FROM pieces on, each costs less."""
    total = price * count
    if count >= BULK_FROM:
        total -= total * BULK_PERCENT // 100
    return total


def every(price, count):
    """The price of count pieces of which every one at a multiple of FREE_EVERY is free."""
    return price * (count - count // FREE_EVERY)


def best(price, count, special):
    """The lower of the prices that apply."""
    offers = [bulk(price, count)]
    if special:
        offers.append(every(price, count))
    return min(offers)
'''
_CART = '''
"""What one customer has chosen."""

from @package@.rules import best


class Cart:
    def __init__(self, catalogue):
        self.catalogue = catalogue
        self.counts = {}

    def put(self, code, count=1):
        self.catalogue.price(code)
        if count <= 0:
            raise ValueError("at least one piece")
        self.counts[code] = self.counts.get(code, 0) + count
        return self.counts[code]

    def take(self, code, count=1):
        left = self.counts.get(code, 0) - count
        if left > 0:
            self.counts[code] = left
        else:
            self.counts.pop(code, None)
        return max(left, 0)

    def lines(self):
        """[code, count, price] of everything in the cart, by code."""
        found = []
        for code in sorted(self.counts):
            count = self.counts[code]
            special = self.catalogue.group(code) == "@group@"
            found.append([code, count, best(self.catalogue.price(code), count, special)])
        return found

    def total(self):
        return sum(price for _, _, price in self.lines())
'''
_INVOICE = '''
"""What the customer has to pay in the end."""

SHIPPING = @shipping@
FREE_FROM = @free_from@
TAX_PERCENT = @tax@


def shipping(total):
    """Nothing is sent for nothing, except large orders and empty ones."""
    if total == 0 or total >= FREE_FROM:
        return 0
    return SHIPPING


def tax(amount):
    """The tax contained in an amount, rounded to the nearest cent, halves upwards."""
    return (2 * amount * TAX_PERCENT + 100 + TAX_PERCENT) // (2 * (100 + TAX_PERCENT))


def invoice(cart, voucher=0):
    """A voucher lowers the price of the goods, but never below 0, and has no part in the shipping."""
    goods = cart.total()
    sent = shipping(goods)
    due = max(goods - voucher, 0) + sent
    return {"goods": goods, "shipping": sent, "due": due, "tax": tax(due)}
'''
_DRIVER = """
from @package@.cart import Cart
from @package@.catalogue import Catalogue
from @package@.invoice import invoice


def start():
    catalogue = Catalogue()
    for code, price, group in @articles@:
        catalogue.add(code, price, group)
    return catalogue, Cart(catalogue)


def do(world, operation, *arguments):
    catalogue, cart = world
    if operation == "put":
        return cart.put(*arguments)
    if operation == "take":
        return cart.take(*arguments)
    if operation == "lines":
        return cart.lines()
    if operation == "invoice":
        return invoice(cart, *arguments)
    if operation == "cheapest":
        return catalogue.cheapest(*arguments)
    raise ValueError(operation)
"""


@template
def shop(draw: Draw) -> Repository:
    package = draw.pick("shop", "store", "kiosk", "market")
    groups = draw.sample(["basic", "fresh", "sale", "books"], 2)
    codes = draw.sample(["ale", "bun", "cup", "dye", "egg", "fig", "gum"], 5)
    articles = [[code, draw.whole(5, 60) * 10 + draw.pick(0, 5, 9), groups[at % 2]] for at, code in enumerate(codes)]
    knobs = {
        "package": package, "group": groups[0], "articles": articles, "bulk": draw.whole(4, 7),
        "bulk_percent": draw.whole(2, 6) * 5, "free": draw.whole(3, 5), "shipping": draw.whole(3, 8) * 50,
        "free_from": draw.whole(15, 40) * 100, "tax": draw.pick(7, 10, 19, 20),
    }  # fmt: skip
    modules = {"catalogue": _CATALOGUE, "rules": _RULES, "cart": _CART, "invoice": _INVOICE}
    files = {f"{package}/{name}.py": fill(text, knobs) for name, text in modules.items()}
    files[f"{package}/__init__.py"] = f'"""The {package}."""\n'

    def script() -> list[list[Any]]:
        made: list[list[Any]] = []
        for _ in range(draw.whole(2, 7)):
            code = draw.pick(*codes, *codes, "zzz")
            made.append(
                draw.pick(
                    ["put", code, draw.whole(1, 8)], ["put", code, draw.whole(1, 8)], ["put", code, draw.whole(-1, 3)],
                    ["take", code, draw.whole(1, 4)], ["lines"], ["cheapest", draw.pick(*groups)],
                )
            )  # fmt: skip
        return [*made, ["lines"], ["invoice", draw.pick(0, 0, 500, 5000)]]

    return Repository(
        package,
        f"A {package}: `catalogue` knows the articles, `rules` the discounts, `cart` what a customer has chosen, and `invoice` what is to be paid. "
        f"Pieces of the group '{groups[0]}' have the special offer besides the discount for many pieces, and the customer gets the better one.",
        files, fill(_DRIVER, knobs),
        {
            "put": "cart.put({0})", "take": "cart.take({0})", "lines": "cart.lines()", "invoice": "invoice(cart, {0})",
            "cheapest": "catalogue.cheapest({0})",
        },
        script, [f"{package}/{name}.py" for name in modules], repr(knobs),
    )  # fmt: skip
