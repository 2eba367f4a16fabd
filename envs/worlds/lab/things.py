"""What there is in the laboratory, and its properties."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "CHEMICALS",
    "CONDUCTORS",
    "ELECTRIC",
    "FIXED",
    "HOLDS",
    "KINDS",
    "LIFELESS",
    "LIVING",
    "MIXED",
    "PAINTS",
    "PLANTS",
    "ROOMS",
    "STAGES",
    "SUBSTANCES",
    "SURFACES",
    "SWITCHED",
]

ROOMS: Mapping[str, tuple[str, ...]] = {
    "hallway": ("kitchen", "workshop", "greenhouse", "living room"),
    "kitchen": ("hallway",),
    "workshop": ("hallway",),
    "greenhouse": ("hallway",),
    "living room": ("hallway",),
}
FIXED: Mapping[str, tuple[str, str]] = {
    "stove": ("kitchen", "heater"), "freezer": ("kitchen", "cooler"), "furnace": ("workshop", "furnace"),
    "sink": ("kitchen", "sink"), "red box": ("living room", "box"), "blue box": ("living room", "box"),
    "ramp": ("workshop", "ramp"), "bench": ("workshop", "surface"),
}  # fmt: skip
"""What stands where in every house: its room and its kind."""

SUBSTANCES: Mapping[str, tuple[int, int]] = {
    "water": (0, 100), "butter": (32, 150), "chocolate": (34, 180), "wax": (60, 240), "tin": (232, 2600),
    "lead": (327, 1749), "gallium": (30, 2400), "naphthalene": (80, 218), "sulphur": (115, 445),
}  # fmt: skip
"""Melting and boiling points in degrees Celsius, rounded."""
PAINTS = {
    frozenset({"red paint", "yellow paint"}): "orange paint", frozenset({"red paint", "blue paint"}): "violet paint",
    frozenset({"blue paint", "yellow paint"}): "green paint",
}  # fmt: skip
CHEMICALS = {
    frozenset({"salt", "water"}): "salt water", frozenset({"sugar", "water"}): "sugar water",
    frozenset({"soap", "water"}): "soap water", frozenset({"flour", "water"}): "dough",
}  # fmt: skip
LIVING = {
    "dove": 12,
    "tortoise": 100,
    "parrot": 60,
    "hedgehog": 5,
    "mouse": 2,
    "crocodile": 70,
    "fly": 0,
    "elephant": 65,
}
"""Animals and how long they live, in years."""
LIFELESS = ("brick", "coin", "mirror", "hammer", "bell", "bucket", "globe", "ladder")
PLANTS = ("pea", "tomato", "bean", "sunflower", "pepper")
CONDUCTORS = {"copper spoon": True, "iron nail": True, "gold ring": True, "steel key": True, "wooden spoon": False,
               "glass marble": False, "rubber duck": False, "plastic comb": False, "cork": False}  # fmt: skip
SURFACES = {"ice": 2, "marble": 3, "steel": 4, "wood": 6, "paper": 7, "rubber": 9, "sand": 12}
"""How many units of time a block takes to slide down a ramp of the material."""
STAGES = ("seed", "sprout", "plant", "flower", "fruit")

KINDS = frozenset(
    {"substance", "cup", "paint", "powder", "seed", "pot", "animal", "lifeless", "battery", "lamp", "wire", "sample",
     "thermometer", "watering can", "surface plate", "bees", "mixture"}
)  # fmt: skip
MIXED = frozenset({"substance", "paint", "powder"})
SWITCHED = frozenset({"heater", "furnace"})
ELECTRIC = frozenset({"battery", "lamp", "wire", "sample"})
HOLDS: Mapping[str, frozenset[str]] = {
    "heater": frozenset({"cup"}), "furnace": frozenset({"cup"}), "cooler": frozenset({"cup"}),
    "cup": frozenset({"substance", "paint", "powder", "mixture"}), "pot": frozenset({"seed"}),
    "ramp": frozenset({"surface plate"}),
    "surface": KINDS - {"bees"}, "sink": frozenset({"cup", "pot"}),
}  # fmt: skip
