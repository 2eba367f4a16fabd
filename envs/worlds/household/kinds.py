"""What kinds of things there are in a house: who can hold what, and what can be done to what.

The tables follow ALFRED's asset constants as ALFWorld 0.4.2 ships them (MIT): a scene from elsewhere brings its own.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ABLE", "CONTAINERS", "COOLERS", "HEATERS", "HOLDS", "INSIDE", "KNIVES", "WASHERS"]

HEATERS, COOLERS, WASHERS = frozenset({"microwave"}), frozenset({"fridge"}), frozenset({"sinkbasin"})
KNIVES = frozenset({"knife", "butterknife"})
CONTAINERS = frozenset({"bowl", "box", "cup", "mug", "pan", "plate", "pot"})

ABLE: Mapping[str, frozenset[str]] = {
    ability: frozenset(names.split())
    for ability, names in {
        "heat": "apple bread cup egg mug plate potato tomato",
        "cool": "apple bowl bread cup egg lettuce mug pan plate pot potato tomato winebottle",
        "clean": (
            "apple bowl butterknife cloth cup dishsponge egg fork kettle knife ladle lettuce mug pan plate pot potato "
            "soapbar spatula spoon tomato"
        ),
        "slice": "apple bread egg lettuce potato tomato",
        "use": "desklamp floorlamp",
    }.items()
}
"""Which kinds of objects can be heated, cooled, cleaned, sliced and switched on."""

HOLDS: Mapping[str, frozenset[str]] = {
    kind: frozenset(held.split())
    for kinds, held in {
        "armchair ottoman sofa": (
            "basketball book box cellphone cloth creditcard keychain laptop newspaper pillow remotecontrol"
        ),
        "bathtubbasin": "cloth dishsponge handtowel soapbar",
        "bed": "baseballbat basketball book cellphone laptop newspaper pillow tennisracket",
        "cabinet": (
            "book bowl box candle cd cloth cup dishsponge glassbottle handtowel kettle ladle mug newspaper pan "
            "peppershaker plate plunger pot saltshaker soapbar soapbottle spraybottle tissuebox toiletpaper "
            "toiletpaperroll vase wateringcan winebottle"
        ),
        "cart": (
            "candle cloth dishsponge handtowel mug papertowel plunger soapbar soapbottle spraybottle statue "
            "tissuebox toiletpaper toiletpaperroll vase"
        ),
        "coffeemachine": "mug",
        "coffeetable countertop diningtable sidetable": (
            "alarmclock apple baseballbat basketball book bowl box bread butterknife candle cd cellphone cloth "
            "creditcard cup dishsponge egg fork glassbottle handtowel kettle keychain knife ladle laptop lettuce "
            "mug newspaper pan papertowel pen pencil peppershaker plate pot potato remotecontrol saltshaker "
            "soapbar soapbottle spatula spoon spraybottle statue tennisracket tissuebox toiletpaper "
            "toiletpaperroll tomato vase watch wateringcan winebottle"
        ),
        "desk": (
            "alarmclock basketball book bowl box candle cd cellphone cloth creditcard cup glassbottle keychain "
            "laptop mug newspaper pen pencil plate remotecontrol soapbottle spraybottle statue tennisracket "
            "tissuebox toiletpaper toiletpaperroll vase watch wateringcan winebottle"
        ),
        "drawer": (
            "book butterknife candle cd cellphone cloth creditcard dishsponge fork handtowel keychain knife ladle "
            "newspaper pen pencil peppershaker remotecontrol saltshaker soapbar soapbottle spatula spoon "
            "spraybottle tissuebox toiletpaper toiletpaperroll watch wateringcan"
        ),
        "dresser": (
            "alarmclock basketball book bowl box candle cd cellphone cloth creditcard cup glassbottle keychain "
            "laptop mug newspaper pen pencil plate remotecontrol spraybottle statue tennisracket tissuebox "
            "toiletpaper toiletpaperroll vase watch wateringcan winebottle"
        ),
        "fridge": "apple bowl bread cup egg glassbottle lettuce mug pan plate pot potato tomato winebottle",
        "garbagecan": (
            "apple bread cd cloth dishsponge egg handtowel lettuce newspaper papertowel pen pencil potato soapbar "
            "soapbottle spraybottle tissuebox toiletpaper toiletpaperroll tomato winebottle"
        ),
        "handtowelholder": "handtowel",
        "laundryhamper": "cloth",
        "microwave": "apple bowl bread cup egg glassbottle mug plate potato tomato",
        "safe": "cd cellphone creditcard keychain statue vase watch",
        "shelf": (
            "alarmclock book bowl box candle cd cellphone cloth creditcard cup dishsponge glassbottle handtowel "
            "kettle keychain mug newspaper papertowel pen pencil peppershaker plate pot remotecontrol saltshaker "
            "soapbar soapbottle spraybottle statue tissuebox toiletpaper toiletpaperroll vase watch wateringcan "
            "winebottle"
        ),
        "sinkbasin": (
            "apple bowl butterknife cloth cup dishsponge egg fork glassbottle handtowel kettle knife ladle "
            "lettuce mug pan plate pot potato soapbar spatula spoon tomato"
        ),
        "stoveburner": "kettle pan pot",
        "toaster": "",
        "toilet": (
            "candle cloth dishsponge handtowel newspaper papertowel soapbar soapbottle spraybottle tissuebox "
            "toiletpaper toiletpaperroll"
        ),
        "toiletpaperhanger": "toiletpaper toiletpaperroll",
        "towelholder": "towel",
        "tvstand": "tissuebox",
    }.items()
    for kind in kinds.split()
}
"""Which kinds of objects each kind of receptacle may hold."""

INSIDE: Mapping[str, frozenset[str]] = {
    kind: frozenset(held.split())
    for kinds, held in {
        "bowl": (
            "apple butterknife candle cd cellphone cloth creditcard dishsponge egg fork keychain knife ladle "
            "lettuce mug papertowel pen pencil potato remotecontrol spatula spoon tomato watch"
        ),
        "box": (
            "alarmclock book candle cd cellphone cloth creditcard dishsponge glassbottle keychain mug papertowel "
            "pen pencil remotecontrol statue tissuebox vase watch"
        ),
        "cup": "butterknife fork spoon",
        "mug": "butterknife fork keychain knife pen pencil spoon watch",
        "pan pot": "apple butterknife dishsponge egg fork knife ladle lettuce potato spatula spoon tomato",
        "plate": (
            "alarmclock apple book butterknife candle cd cellphone cloth creditcard dishsponge egg fork "
            "glassbottle keychain knife ladle lettuce mug papertowel pen pencil potato spatula spoon tissuebox "
            "tomato watch"
        ),
    }.items()
    for kind in kinds.split()
}
"""Which kinds of objects a movable container may hold (in extended houses only)."""
