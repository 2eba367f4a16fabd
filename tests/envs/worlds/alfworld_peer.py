"""Plays commands in the real ALFWorld engine; run by the Python of an environment that has `alfworld` installed.

Reads JSON Lines of {"problem": PDDL, "goal": text, "commands": [...]} and writes for each one line of
[[text, admissible, won, score, done], ...], the first entry for the reset.
"""

import json
import sys
import tempfile
from pathlib import Path


def main():
    import alfworld
    import textworld
    from alfworld.agents.environment.alfred_tw_env import AlfredDemangler, AlfredInfos
    from textworld.envs import PddlEnv

    data = Path(alfworld.__file__).parent / "data"
    domain, grammar = (data / "alfred.pddl").read_text(), (data / "alfred.twl2").read_text()
    for line in sys.stdin:
        asked = json.loads(line)
        game = {
            "pddl_domain": domain,
            "grammar": grammar.replace("UNKNOWN GOAL", asked["goal"]),
            "pddl_problem": asked["problem"],
            "solvable": True,
            "walkthrough": [],
        }
        with tempfile.NamedTemporaryFile("w", suffix=".tw-pddl") as file:
            json.dump(game, file)
            file.flush()
            env = AlfredInfos(AlfredDemangler(PddlEnv(textworld.EnvInfos(admissible_commands=True, won=True))))
            env.load(file.name)
            state = env.reset()
            said = [[state.feedback, state.admissible_commands, state.won, 0, False]]
            for command in asked["commands"]:
                state, score, done = env.step(command)
                said.append([state.feedback, state.admissible_commands, state.won, score, done])
            env.close()
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
