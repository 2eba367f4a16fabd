"""Programs that follow a machine through its states."""

from __future__ import annotations

from proofgym.envs.code.program import Draw, Sketch, family


@family("state machines", 1)
def vending(draw: Draw) -> Sketch:
    price, most = draw.whole(3, 9) * 5, draw.pick(50, 80, 100)
    stock = draw.whole(1, 4)
    over = draw.pick("reject", "swallow")
    refund = draw.chance(0.5)
    said = {
        "reject": "the coin is returned and nothing changes",
        "swallow": "the coin is kept, but the credit stays as it was",
    }[over]
    return Sketch(
        "vend", "events: list[str]", "list[int]",
        f"""A machine holds {stock} snack{'s' if stock > 1 else ''} at {price} cents{' each' if stock > 1 else ''}. Its credit begins at 0. Events are '5', '10', '20' and '50' (a coin
        of that value is put in), 'buy' and 'cancel'. A coin adds its value to the credit, unless the credit would then be
        above {most}: {said}. 'buy' gives out one snack if there is one and the credit is enough; the price is taken from
        the credit{", and the rest of the credit is returned" if refund else ", and the rest stays as credit"}. 'cancel' returns the credit. Return
        [snacks given out, credit at the end, number of coins put in that did not count as credit].""",
        f"""
        def vend(events):
            credit = 0
            sold = 0
            lost = 0
            for event in events:
                if event == "buy":
                    if sold < {stock} and credit >= {price}:
                        sold += 1
                        credit = {"0" if refund else f"credit - {price}"}
                elif event == "cancel":
                    credit = 0
                elif credit + int(event) > {most}:
                    lost += 1
                else:
                    credit += int(event)
            return [sold, credit, lost]
        """,
        lambda: [[draw.pick("5", "10", "20", "50", "buy", "buy", "20", "50", "cancel" if draw.chance(0.4) else "20") for _ in range(draw.whole(0, 14))]],
    )  # fmt: skip


@family("state machines", 1)
def robot(draw: Draw) -> Sketch:
    width, height = draw.whole(3, 6), draw.whole(3, 6)
    edge = draw.pick("stop", "wrap", "turn")
    said = {
        "stop": "a step that would leave the grid is not made",
        "wrap": "a step that would leave the grid enters it on the opposite side",
        "turn": "instead of a step that would leave the grid, the robot turns around where it is",
    }[edge]
    move = (
        {
            "stop": "if 0 <= nx < WIDTH and 0 <= ny < HEIGHT:\n                        x, y = nx, ny",
            "wrap": "x, y = nx % WIDTH, ny % HEIGHT",
            "turn": "if 0 <= nx < WIDTH and 0 <= ny < HEIGHT:\n                        x, y = nx, ny\n                    else:\n                        heading = (heading + 2) % 4",
        }[edge]
        .replace("WIDTH", str(width))
        .replace("HEIGHT", str(height))
    )
    what = draw.pick("place", "visited", "revisits")
    ends = {
        "place": (
            '[x, y, "NESW"[heading]]',
            "list",
            "[column, row, heading] at the end, the heading as one of 'N', 'E', 'S', 'W'",
        ),
        "visited": ("len(set(trail))", "int", "how many different cells the robot stood on, the first included"),
        "revisits": (
            "len(trail) - len(set(trail))",
            "int",
            "how many commands, of any kind, ended with the robot on a cell on which it had already stood before that command, the same cell included",
        ),
    }
    back = draw.chance(0.5)
    return Sketch(
        "drive", "commands: str", ends[what][1],
        f"""A robot stands at column 0, row 0 of a grid with {width} columns and {height} rows, and faces north. North is towards
        higher rows, east towards higher columns. Commands, one character each: 'F' makes a step in the direction it faces,
        {"'B' makes a step backwards without turning, " if back else ""}'L' and 'R' turn it left and right on the spot; {said}. Other characters are no
        commands. Return {ends[what][2]}.""",
        f"""
        def drive(commands):
            x = 0
            y = 0
            heading = 0
            trail = [(0, 0)]
            for command in commands:
                if command == "L":
                    heading = (heading + 3) % 4
                elif command == "R":
                    heading = (heading + 1) % 4
                elif command == "F"{' or command == "B"' if back else ""}:
                    sign = 1 if command == "F" else -1
                    nx = x + sign * (0, 1, 0, -1)[heading]
                    ny = y + sign * (1, 0, -1, 0)[heading]
                    {move}
                else:
                    continue
                trail.append((x, y))
            return {ends[what][0]}
        """,
        lambda: [draw.word(0, 16, "FFFFLRFB." if back else "FFFFLRF.")],
    )  # fmt: skip


@family("state machines", 2)
def editor(draw: Draw) -> Sketch:
    keys = draw.sample("<>~^!@", 4)
    left, right, undo, clear = keys
    depth = draw.whole(1, 3)
    return Sketch(
        "edit", "typed: str", "str",
        f"""Follow the keys typed into a one-line editor that begins empty. '{left}' moves the cursor one place left and '{right}' one place
        right (at the ends it stays). '-' deletes the character before the cursor, if there is one. '{clear}' deletes everything from the
        cursor to the end. '{undo}' undoes the last change of the text that is not yet undone: text and cursor go back to where they
        were just before that change; at most the last {depth} change{"s" if depth > 1 else ""} can be undone, and keys that changed
        nothing, such as movements, are no changes. Any other character is inserted before the cursor. Return the text with
        '|' at the cursor's place.""",
        f"""
        def edit(typed):
            text = ""
            at = 0
            history = []
            for key in typed:
                if key == {left!r}:
                    at = max(0, at - 1)
                elif key == {right!r}:
                    at = min(len(text), at + 1)
                elif key == {undo!r}:
                    if history:
                        text, at = history.pop()
                else:
                    before = (text, at)
                    if key == "-":
                        if at > 0:
                            text = text[:at - 1] + text[at:]
                            at -= 1
                    elif key == {clear!r}:
                        text = text[:at]
                    else:
                        text = text[:at] + key + text[at:]
                        at += 1
                    if text != before[0]:
                        history.append(before)
                        history = history[-{depth}:]
            return text[:at] + "|" + text[at:]
        """,
        lambda: [draw.word(0, 16, "abcde" + left * 2 + right + "-" + undo * 2 + clear)],
    )  # fmt: skip


@family("state machines", 0)
def lift(draw: Draw) -> Sketch:
    floors, door = draw.whole(4, 9), draw.whole(2, 5)
    what = draw.pick("time", "distance", "passes")
    start = draw.whole(0, 2)
    ends = {
        "time": (
            f"moved + {door} * stops",
            f"the seconds that pass: 1 for each floor travelled and {door} for each stop",
        ),
        "distance": ("moved", "how many floors were travelled in all"),
        "passes": ("turns", "how often the lift went on in the other direction than it had last travelled in"),
    }
    return Sketch(
        "lift", "calls: list[int]", "int",
        f"""A lift waits at floor {start} of a house with floors 0 to {floors}. It serves calls in order: it travels to the
        called floor and stops there. A call for the floor at which it stands makes it neither travel nor stop, and calls
        for floors that do not exist are passed over. Return {ends[what][1]}.""",
        f"""
        def lift(calls):
            floor = {start}
            moved = 0
            stops = 0
            turns = 0
            last = 0
            for call in calls:
                if call < 0 or call > {floors} or call == floor:
                    continue
                direction = 1 if call > floor else -1
                if last != 0 and direction != last:
                    turns += 1
                last = direction
                moved += abs(call - floor)
                stops += 1
                floor = call
            return {ends[what][0]}
        """,
        lambda: [draw.ints(0, 10, -1, floors + 2)],
    )  # fmt: skip
