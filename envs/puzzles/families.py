"""The table of puzzle families: one line each; listing it imports none of them."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from proofgym.errors import BadInput

if TYPE_CHECKING:
    from proofgym.envs.puzzles.contract import Puzzle

__all__ = ["FAMILIES", "KINDS", "FamilyEntry", "family", "load"]

KINDS = (
    "logic", "grid", "graph", "optimisation", "arithmetic", "strings", "formal", "induction", "probability", "planning",
    "games", "space",
)  # fmt: skip

Forms = Literal["single", "steps", "both"]


@dataclass(frozen=True, slots=True)
class FamilyEntry:
    """One family.

    Args:
        name: The name of its environments: `Sudoku` makes `proofgym/Sudoku-v0` and, for moves, `SudokuSteps`.
        target: `module:Class` within `proofgym.envs.puzzles`, imported when it is used.
        kind: One of `KINDS`.
        summary: One sentence for `proofgym list`.
        forms: Whether it is asked for in one answer, as moves, or both. With one form only, its name is the bare one.
        turns: Moves before truncation, in an episode of moves.
        needs: The extra that generating or solving it needs, if any.
        steps_version: The N of `-vN` of its environment of moves.
    """

    name: str
    target: str
    kind: str
    summary: str
    forms: Forms = "single"
    turns: int = 50
    needs: tuple[str, ...] = ()
    steps_version: int = 0

    @property
    def single_name(self) -> str | None:
        """The name of the environment with one answer, if there is one."""
        return None if self.forms == "steps" else self.name

    @property
    def steps_name(self) -> str | None:
        """The name of the environment of moves, if there is one."""
        return {"single": None, "steps": self.name, "both": f"{self.name}Steps"}[self.forms]


FAMILIES: tuple[FamilyEntry, ...] = (
    # logic and grids
    FamilyEntry(
        "Sudoku", "sudoku_grid:Sudoku", "grid",
        "Fill a board so that each row, column and box holds every symbol once.",
        forms="both", turns=100, steps_version=1,
    ),
    FamilyEntry(
        "Futoshiki", "futoshiki:Futoshiki", "grid",
        "Fill a Latin square so that the signs between neighbouring cells hold.", forms="both", turns=100,
    ),
    FamilyEntry(
        "Skyscrapers", "skyscrapers:Skyscrapers", "grid",
        "Fill a Latin square of heights so that each clue at the edge counts the towers seen.", forms="both", turns=100,
    ),
    FamilyEntry("LatinSquare", "latin:LatinSquare", "grid", "Complete a Latin square.", forms="both", turns=100),
    FamilyEntry(
        "Kenken", "kenken:Kenken", "grid",
        "Fill a Latin square so that the numbers of each cage give its result.", forms="both", turns=100,
    ),
    FamilyEntry(
        "Nonogram", "nonogram:Nonogram", "grid",
        "Paint cells so that the runs in every row and column have the given lengths.", forms="both", turns=120,
    ),
    FamilyEntry(
        "Queens", "queens:Queens", "grid", "Complete a placement of queens that do not attack one another.",
        forms="both", turns=40,
    ),
    FamilyEntry(
        "Slitherlink", "slitherlink:Slitherlink", "grid",
        "Draw one closed loop along grid lines, as the numbers in the squares say.", forms="both", turns=100,
    ),
    FamilyEntry(
        "KnightsAndKnaves", "knights:KnightsAndKnaves", "logic",
        "Find out who lies and who tells the truth, by what everybody says.",
    ),
    FamilyEntry("Zebra", "zebra:Zebra", "logic", "Find out from clues who lives in which house and has what."),
    FamilyEntry("Entailment", "entailment:Entailment", "logic", "Say what follows from premises, and refute the rest."),
    FamilyEntry(
        "Syllogism", "syllogism:Syllogism", "logic",
        "Say which conclusions follow from 'all', 'no' and 'some', and refute the rest.",
    ),
    FamilyEntry("Satisfiability", "sat:Satisfiability", "logic", "Satisfy a formula, or refute it line by line."),
    FamilyEntry("Circuit", "circuit:Circuit", "logic", "Build a circuit from few gates that computes a given table."),
    FamilyEntry(
        "HornChaining", "horn:HornChaining", "logic", "Derive a goal from facts by rules, in few steps.", forms="both",
        turns=30,
    ),
    FamilyEntry(
        "StarBattle", "star_battle:StarBattle", "grid",
        "Place stars so that every row, column and region holds the same number, none touching.",
        forms="both", turns=50,
    ),
    FamilyEntry(
        "Akari", "akari:Akari", "grid", "Place lamps so that every cell is lit and no lamp shines on another.",
        forms="both", turns=50,
    ),
    FamilyEntry(
        "Tents", "tents:Tents", "grid", "Pitch a tent beside every tree, none touching.", forms="both", turns=50,
    ),
    FamilyEntry(
        "Hitori", "hitori:Hitori", "grid",
        "Shade numbers until none stands twice in a line, without parting the board.", forms="both", turns=60,
    ),
    FamilyEntry(
        "Binairo", "binairo:Binairo", "grid",
        "Fill a board with 0 and 1, half of each in every line, never three alike.", forms="both", turns=100,
    ),
    FamilyEntry(
        "Kakuro", "kakuro:Kakuro", "grid", "Fill runs of cells with different digits that add up to their sums.",
        forms="both", turns=100,
    ),
    FamilyEntry("MagicSquare", "magic_square:MagicSquare", "grid", "Complete a magic square.", forms="both", turns=50),
    FamilyEntry(
        "Thermometers", "thermometers:Thermometers", "grid",
        "Fill thermometers from their bulbs so that the numbers of rows and columns hold.", forms="both", turns=80,
    ),
    FamilyEntry(
        "Numbrix", "numbrix:Numbrix", "grid", "Write the numbers from 1 on along a path through all cells.",
        forms="both", turns=80,
    ),
    # graphs, optimisation, arithmetic
    FamilyEntry(
        "Countdown", "countdown:Countdown", "arithmetic",
        "Reach the target from the given numbers; any valid expression wins.",
    ),
    FamilyEntry("ShortestPath", "shortest_path:ShortestPath", "graph", "Find a shortest path in a weighted graph."),
    FamilyEntry("Game24", "game24:Game24", "arithmetic", "Reach 24, or another target, with four numbers."),
    FamilyEntry("Cryptarithm", "cryptarithm:Cryptarithm", "arithmetic", "Find the digits that letters stand for."),
    FamilyEntry("Congruences", "congruences:Congruences", "arithmetic", "Solve a system of linear congruences."),
    FamilyEntry("LinearSystem", "linear_system:LinearSystem", "arithmetic", "Solve linear equations exactly."),
    FamilyEntry("Bezout", "bezout:Bezout", "arithmetic", "Write a greatest common divisor as a sum of multiples."),
    FamilyEntry("BaseConversion", "base_conversion:BaseConversion", "arithmetic", "Write a number in another base."),
    FamilyEntry(
        "PolynomialFactors", "polynomial_factors:PolynomialFactors", "arithmetic", "Factor a polynomial completely."
    ),
    FamilyEntry("ShortFormula", "short_formula:ShortFormula", "arithmetic", "Find a short formula for a long sum."),
    FamilyEntry(
        "DateArithmetic", "date_arithmetic:DateArithmetic", "arithmetic", "Follow a clock and calendar across zones."
    ),
    FamilyEntry("UnitChains", "unit_chains:UnitChains", "arithmetic", "Convert between invented units, exactly."),
    FamilyEntry("Clique", "vertex_sets:Clique", "graph", "Find a largest clique."),
    FamilyEntry("IndependentSet", "vertex_sets:IndependentSet", "graph", "Find a largest independent set."),
    FamilyEntry("VertexCover", "vertex_sets:VertexCover", "graph", "Find a smallest vertex cover."),
    FamilyEntry("DominatingSet", "vertex_sets:DominatingSet", "graph", "Find a smallest dominating set."),
    FamilyEntry("Colouring", "colouring:Colouring", "graph", "Colour a graph with as few colours as possible."),
    FamilyEntry("HamiltonianPath", "hamiltonian_path:HamiltonianPath", "graph", "Visit every node exactly once."),
    FamilyEntry("EulerTrail", "euler_trail:EulerTrail", "graph", "Walk along every edge exactly once."),
    FamilyEntry("TopologicalOrder", "topological_order:TopologicalOrder", "graph", "Order tasks by precedences."),
    FamilyEntry("Matching", "matching:Matching", "graph", "Find a matching of the greatest weight."),
    FamilyEntry("MaxFlow", "network_flow:MaxFlow", "graph", "Find a maximum flow of a network."),
    FamilyEntry("MinCut", "network_flow:MinCut", "graph", "Find a minimum cut of a network."),
    FamilyEntry("SpanningTree", "spanning_trees:SpanningTree", "graph", "Find a minimum spanning tree."),
    FamilyEntry("SteinerTree", "spanning_trees:SteinerTree", "graph", "Connect some nodes with the least length."),
    FamilyEntry("Isomorphism", "isomorphism:Isomorphism", "graph", "Map one graph onto another."),
    FamilyEntry("Knapsack", "knapsack:Knapsack", "optimisation", "Fill a knapsack with the greatest value."),
    FamilyEntry("BinPacking", "bin_packing:BinPacking", "optimisation", "Pack items into as few bins as possible."),
    FamilyEntry(
        "TravellingSalesman", "travelling_salesman:TravellingSalesman", "optimisation", "Find a shortest round trip."
    ),
    FamilyEntry("JobShop", "job_shop:JobShop", "optimisation", "Schedule jobs to end as early as possible."),
    FamilyEntry(
        "IntervalScheduling", "interval_scheduling:IntervalScheduling", "optimisation", "Choose bookings that pay most."
    ),
    FamilyEntry("Assignment", "assignment:Assignment", "optimisation", "Give out tasks at the least total cost."),
    FamilyEntry("SetCover", "set_cover:SetCover", "optimisation", "Cover all elements at the least cost."),
    # strings, formal languages, induction, probability
    FamilyEntry(
        "WordLadder", "word_ladder:WordLadder", "strings",
        "Turn one word into another, one letter at a time.", forms="both", turns=20,
    ),
    FamilyEntry("Cipher", "ciphers:Cipher", "strings", "Decipher words without the key."),
    FamilyEntry("Substitution", "ciphers:Substitution", "strings", "Solve a cryptogram over a list of words."),
    FamilyEntry(
        "CommonSubsequence", "common_subsequence:CommonSubsequence", "strings", "Find a longest common subsequence."
    ),
    FamilyEntry("BracketRepair", "bracket_repair:BracketRepair", "strings", "Repair brackets with the fewest changes."),
    FamilyEntry("LetterBank", "letter_bank:LetterBank", "strings", "Find words that use up given letters exactly."),
    FamilyEntry("ProgramTrace", "program_trace:ProgramTrace", "formal", "Trace a program, paid step by step."),
    FamilyEntry(
        "RegexSynthesis", "regex_puzzles:RegexSynthesis", "formal", "Write an expression for an automaton."
    ),
    FamilyEntry(
        "RegexDifference", "regex_puzzles:RegexDifference", "formal", "Tell two expressions apart by a word."
    ),
    FamilyEntry("DfaConstruction", "regex_puzzles:DfaConstruction", "formal", "Build an automaton for a language."),
    FamilyEntry("ParseTree", "parse_tree:ParseTree", "formal", "Derive a word in a context-free grammar."),
    FamilyEntry(
        "CellularAutomaton", "cellular_automaton:CellularAutomaton", "induction", "Run a cellular automaton."
    ),
    FamilyEntry(
        "AutomatonRule", "cellular_automaton:AutomatonRule", "induction", "Find the rule of a cellular automaton."
    ),
    FamilyEntry("LifeForward", "life:LifeForward", "induction", "Run the game of life."),
    FamilyEntry("LifePredecessor", "life:LifePredecessor", "induction", "Find a predecessor in the game of life."),
    FamilyEntry("ArcGrid", "arc_grid:ArcGrid", "induction", "Find out from examples what happens to a grid."),
    FamilyEntry("ListFunction", "list_function:ListFunction", "induction", "Find out what happens to a list."),
    FamilyEntry("NumberSequence", "number_sequence:NumberSequence", "induction", "Continue a sequence of numbers."),
    FamilyEntry("DiceOdds", "dice:DiceOdds", "probability", "Find an exact probability with dice."),
    FamilyEntry("UrnOdds", "dice:UrnOdds", "probability", "Find an exact probability with an urn."),
    FamilyEntry("BayesNet", "chance_models:BayesNet", "probability", "Find a probability in a Bayes net."),
    FamilyEntry("HittingTime", "chance_models:HittingTime", "probability", "Find expected steps of a Markov chain."),
    FamilyEntry("StoppingGame", "chance_models:StoppingGame", "probability", "Find the value of a stopping game."),
    FamilyEntry("StackMachine", "machines:StackMachine", "formal", "Run a program of a stack machine."),
    FamilyEntry("TuringMachine", "machines:TuringMachine", "formal", "Run a Turing machine until it halts."),
    FamilyEntry("LambdaReduction", "lambda_reduction:LambdaReduction", "formal", "Reduce a term to its normal form."),
    FamilyEntry(
        "Rewriting", "rewriting:Rewriting", "formal", "Rewrite a word to another by rules.", forms="both", turns=25,
    ),
    FamilyEntry(
        "SortMoves", "sort_moves:SortMoves", "strings", "Sort a row with given moves only.", forms="both", turns=25,
    ),
    FamilyEntry(
        "EditScript", "edit_script:EditScript", "strings",
        "Turn one word into another with the fewest edits.", forms="both", turns=30,
    ),
    # planning, games, space
    FamilyEntry(
        "LightsOut", "lights_out:LightsOut", "planning",
        "Switch off all lamps of a board; a press turns a lamp and its neighbours.", forms="both", turns=40,
    ),
    FamilyEntry("Sokoban", "sokoban:Sokoban", "planning", "Push boxes onto goals.", forms="both", turns=100),
    FamilyEntry(
        "NPuzzle", "n_puzzle:NPuzzle", "planning",
        "Slide the tiles of the 8-puzzle into an arrangement.", forms="both", turns=60,
    ),
    FamilyEntry(
        "RushHour", "rush_hour:RushHour", "planning",
        "Drive the red car out of a traffic jam.", forms="both", turns=20,
    ),
    FamilyEntry(
        "Hanoi", "hanoi:Hanoi", "planning",
        "Move the tower of Hanoi between any two arrangements.", forms="both", turns=150,
    ),
    FamilyEntry(
        "Blocksworld", "blocksworld:Blocksworld", "planning",
        "Restack blocks on a table.", forms="both", turns=30,
    ),
    FamilyEntry(
        "RiverCrossing", "river_crossing:RiverCrossing", "planning",
        "Ferry things across that must not be left alone with each other.", forms="both", turns=30,
    ),
    FamilyEntry(
        "WaterJugs", "water_jugs:WaterJugs", "planning",
        "Measure amounts with jugs without marks.", forms="both", turns=30,
    ),
    FamilyEntry(
        "KeyMaze", "key_maze:KeyMaze", "planning",
        "Fetch the keys of a maze with locked doors, and find the way out.", forms="both", turns=150,
    ),
    FamilyEntry("Maze", "maze:Maze", "planning", "Find the way through a maze.", forms="both", turns=120),
    FamilyEntry(
        "RuleGrid", "rule_grid:RuleGrid", "planning",
        "Reach a pattern on a board with rewriting rules of its own.", forms="both", turns=40,
    ),
    FamilyEntry(
        "Crafting", "crafting:Crafting", "planning",
        "Gather and craft by recipes, within a number of days.", forms="both", turns=60,
    ),
    FamilyEntry(
        "Minesweeper", "minesweeper:Minesweeper", "games",
        "Open all cells without a mine, on boards that need no guess.", forms="steps", turns=100,
    ),
    FamilyEntry(
        "Mastermind", "mastermind:Mastermind", "games",
        "Find a code from how well guesses fit it.", forms="steps", turns=12,
    ),
    FamilyEntry(
        "WordGuess", "word_guess:WordGuess", "games",
        "Find a five-letter word from marked guesses.", forms="steps", turns=20,
    ),
    FamilyEntry(
        "TwentyQuestions", "twenty_questions:TwentyQuestions", "games",
        "Find the secret row of a table by its properties.", forms="steps", turns=20,
    ),
    FamilyEntry(
        "Nim", "nim:Nim", "games",
        "Win a game of taking from piles against a perfect opponent.", forms="steps", turns=40,
    ),
    FamilyEntry(
        "Connect", "connect:Connect", "games",
        "Drop stones and get a line before a perfect opponent does.", forms="steps", turns=12,
    ),
    FamilyEntry(
        "TicTacToe", "connect:TicTacToe", "games",
        "Put stones and get a line before a perfect opponent does.", forms="steps", turns=12,
    ),
    FamilyEntry(
        "Lasers", "lasers:Lasers", "space",
        "Place mirrors so that a laser passes every target.", forms="both", turns=20,
    ),
    FamilyEntry(
        "DiceRolling", "dice_rolling:DiceRolling", "space",
        "Roll a die to a cell with a given face on top.", forms="both", turns=50,
    ),
    FamilyEntry("PathTurns", "path_turns:PathTurns", "space", "Say where a walk of turns and steps ends."),
    FamilyEntry("CubeNet", "cube_net:CubeNet", "space", "Fold a net to a cube, turn it, and name the faces."),
    FamilyEntry("Packing", "packing:Packing", "space", "Fill a board with polyominoes."),
    FamilyEntry(
        "Pancake", "pancake:Pancake", "planning",
        "Sort a stack of pancakes by flipping its top.", forms="both", turns=20,
    ),
    FamilyEntry(
        "TopSpin", "top_spin:TopSpin", "planning",
        "Sort a ring of numbers with shifts and a turnstile.", forms="both", turns=35,
    ),
    FamilyEntry(
        "Twiddle", "twiddle:Twiddle", "planning",
        "Sort a board by turning blocks of two by two.", forms="both", turns=25,
    ),
    FamilyEntry(
        "IceSliding", "ice_sliding:IceSliding", "planning",
        "Slide over ice from rock to rock to the goal.", forms="both", turns=30,
    ),
    FamilyEntry(
        "PegSolitaire", "peg_solitaire:PegSolitaire", "planning",
        "Jump pegs until one is left.", forms="both", turns=30,
    ),
    FamilyEntry(
        "Logistics", "logistics:Logistics", "planning",
        "Bring parcels to their towns with one truck.", forms="both", turns=40,
    ),
    FamilyEntry(
        "TurtleProgram", "turtle_program:TurtleProgram", "planning",
        "Write a short program that collects every mark on a board.",
    ),
    FamilyEntry(
        "Battleship", "battleship:Battleship", "games",
        "Find and sink hidden ships within a number of shots.", forms="steps", turns=60,
    ),
)  # fmt: skip


def load(target: str) -> type[Puzzle]:
    """The class of a family, by its target in the table."""
    module, _, name = target.partition(":")
    found: type[Puzzle] = getattr(importlib.import_module(f"proofgym.envs.puzzles.{module}"), name)
    return found


def family(name: str) -> type[Puzzle]:
    """The family of a name, as in the table or as in its instances (`Sudoku` or `sudoku`).

    Raises:
        BadInput: If there is none, with the nearest.
    """
    wanted = name.lower().replace("_", "")
    for entry in FAMILIES:
        if wanted == entry.name.lower():
            return load(entry.target)
    close = difflib.get_close_matches(wanted, [entry.name.lower() for entry in FAMILIES], n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}?" if close else "`proofgym list --puzzles` shows them all"
    raise BadInput(f"no puzzle family {name!r} among {len(FAMILIES)}; {hint}")
