"""Tables of notation: which signs, commands and words mean the same thing."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["COMMANDS", "FUNCTIONS", "GREEK", "NO_VALUE", "SIGNS", "UNITS", "WORD_NUMBERS"]

# One-character signs, rewritten before anything is read.
SIGNS: dict[str, str] = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "×": "*", "·": "*", "⋅": "*", "∙": "*", "•": "*", "∗": "*",
    "⁎": "*",
    "÷": "/", "∕": "/", "⁄": "/", "≤": "\\le ", "≦": "\\le ", "⩽": "\\le ", "≥": "\\ge ", "≧": "\\ge ", "⩾": "\\ge ",
    "≠": "\\ne ", "≈": "\\approx ", "≃": "\\approx ", "≅": "\\approx ", "∞": "\\infty ", "π": "\\pi ", "√": "\\sqrt ",
    "∛": "\\cbrt ", "∜": "\\fourthroot ", "∪": "\\cup ", "∩": "\\cap ", "∖": "\\setminus ", "∈": "\\in ",
    "∅": "\\emptyset ",
    "ø": "\\emptyset ", "⌀": "\\emptyset ", "±": "\\pm ", "∓": "\\mp ", "°": "^\\circ ", "º": "^\\circ ",
    "˚": "^\\circ ",
    "∘": "^\\circ ", "…": "\\ldots ", "⋯": "\\ldots ", "→": "\\to ", "∧": "\\land ", "∨": "\\lor ", "∣": "|", "｜": "|",
    "⌊": "\\lfloor ", "⌋": "\\rfloor ", "⌈": "\\lceil ", "⌉": "\\rceil ", "∑": "\\sum ", "∏": "\\prod ", "∫": "\\int ",
    "′": "'", "’": "'", "″": "''", "ℝ": "\\R ", "ℤ": "\\Z ", "ℚ": "\\Q ", "ℕ": "\\N ", "ℂ": "\\C ", "∀": "\\forall ",
    "⟨": "(", "⟩": ")", "【": "[", "】": "]",
    "（": "(", "）": ")", "，": ",", "、": ",", "。": ".", "；": ";", "：": ":",
    "∶": ":", "％": "%", "‰": "\\permille ", "ℯ": "e", "ⅇ": "e", "ⅈ": "i", "\u2061": "", "\u2062": "*", "\u200b": "",
    "\ufeff": "",
    "½": "\\frac{1}{2}", "⅓": "\\frac{1}{3}", "⅔": "\\frac{2}{3}", "¼": "\\frac{1}{4}", "¾": "\\frac{3}{4}",
    "⅕": "\\frac{1}{5}", "⅖": "\\frac{2}{5}", "⅗": "\\frac{3}{5}", "⅘": "\\frac{4}{5}", "⅙": "\\frac{1}{6}",
    "⅚": "\\frac{5}{6}", "⅐": "\\frac{1}{7}", "⅛": "\\frac{1}{8}", "⅜": "\\frac{3}{8}", "⅝": "\\frac{5}{8}",
    "⅞": "\\frac{7}{8}", "⅑": "\\frac{1}{9}", "⅒": "\\frac{1}{10}", "€": "\\currency{euro} ", "£": "\\currency{pound} ",
    "¥": "\\currency{yen} ", "￥": "\\currency{yen} ", "₹": "\\currency{rupee} ",
}  # fmt: skip

_GREEK_LETTERS = dict(
    zip(
        "αβγδεζηθικλμνξρστυφχψωΓΔΘΛΞΠΣΥΦΨΩϕϵ",
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "rho",
            "sigma",
            "tau",
            "upsilon",
            "phi",
            "chi",
            "psi",
            "omega",
            "Gamma",
            "Delta",
            "Theta",
            "Lambda",
            "Xi",
            "Pi",
            "Sigma",
            "Upsilon",
            "Phi",
            "Psi",
            "Omega",
            "phi",
            "epsilon",
        ],
        strict=True,
    )
)
SIGNS.update({sign: f"\\{name} " for sign, name in _GREEK_LETTERS.items()})
GREEK = {*_GREEK_LETTERS.values(), "ell", "hbar", "aleph", "partial", "nabla", "mho"}

# Commands that are another spelling of a command.
COMMANDS: dict[str, str] = {
    "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "dbinom": "binom", "tbinom": "binom", "leq": "le",
    "leqslant": "le",
    "leqq": "le", "geq": "ge", "geqslant": "ge", "geqq": "ge", "neq": "ne", "lt": "<", "gt": ">", "cdot": "*",
    "times": "*",
    "ast": "*", "div": "/", "colon": ":", "mid": "|", "vert": "|", "lvert": "l|", "rvert": "r|", "varphi": "phi",
    "varepsilon": "epsilon", "vartheta": "theta", "varrho": "rho", "varsigma": "sigma", "varnothing": "emptyset",
    "O": "emptyset", "smallsetminus": "setminus", "backslash": "setminus", "dots": "ldots", "cdots": "ldots",
    "dotsc": "ldots", "dotsb": "ldots", "dotsm": "ldots", "land": "and", "wedge": "and", "lor": "or", "vee": "or",
    "lbrace": "\\{", "rbrace": "\\}", "lbrack": "[", "rbrack": "]", "langle": "(", "rangle": ")", "lgroup": "(",
    "rgroup": ")", "ulcorner": "lceil", "urcorner": "rceil", "llcorner": "lfloor", "lrcorner": "rfloor",
    "degree": "circ",
    "textdegree": "circ", "exponentialE": "e", "imaginaryI": "i", "infin": "infty", "rightarrow": "to", "isin": "in",
    "bmod": "mod", "simeq": "approx", "cong": "approx", "doteq": "approx", "approxeq": "approx", "lparen": "(",
    "rparen": ")", "tg": "tan", "ctg": "cot", "cotg": "cot", "arctg": "arctan", "ceil": "ceiling", "infinity": "infty",
    "mathbbR": "R", "bigcup": "cup", "bigcap": "cap", "cupdot": "cup", "sqcup": "cup", "overset": "overset",
    "e": "e", "i": "i", "imath": "i", "mathrme": "e", "textpi": "pi", "uppi": "pi", "colonequals": "=", "coloneqq": "=",
}  # fmt: skip

FUNCTIONS = {
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "arccot", "arcsec", "arccsc", "sinh",
    "cosh",
    "tanh", "coth", "sech", "csch", "arcsinh", "arccosh", "arctanh", "exp", "ln", "log", "lg", "sqrt", "abs", "floor",
    "ceiling", "factorial", "doublefactorial", "binom", "gcd", "lcm", "min", "max", "mod", "root", "re", "im", "arg",
    "conj",
    "sgn", "det", "gamma", "deg",
}  # fmt: skip
PLAIN_FUNCTIONS = {
    **{name: name for name in FUNCTIONS if name not in ("root", "binom", "gamma", "deg", "mod")},
    "arcsin": "arcsin", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "arsinh": "arcsinh", "arcosh": "arccosh", "artanh": "arctanh", "cbrt": "cbrt",
    "ceil": "ceiling",
    "binomial": "binom", "choose": "binom", "sign": "sgn", "tg": "tan", "ctg": "cot", "cosec": "csc", "Re": "re",
    "Im": "im",
    "factorial": "factorial", "root": "root2", "log2": "log2", "log10": "log10", "frac": "frac", "sgn": "sgn",
}  # fmt: skip

# Words that say that there is nothing, by the sense in which they say it.
NO_VALUE: dict[str, str] = {
    **dict.fromkeys(
        ("no solution", "no solutions", "no real solution", "no real solutions", "none", "empty set", "the empty set",
         "empty", "no such number", "no such numbers", "no root", "no roots", "no real roots",
         "does not have a solution",
         "there is no solution", "there are no solutions", "null set", "there are none", "no values", "no value",
         "no such integers", "no such integer", "无解"), "no solution"),
    **dict.fromkeys(
        ("undefined", "does not exist", "dne", "not defined", "doesn't exist", "do not exist", "indeterminate",
         "the limit does not exist"), "undefined"),
    **dict.fromkeys(
        ("infinitely many", "infinitely many solutions", "infinite solutions", "infinite number of solutions",
                     "there are infinitely many", "infinite"), "infinitely many"),
    **dict.fromkeys(("all real numbers", "all reals", "the real numbers", "real numbers", "any real number",
                     "the set of all real numbers", "every real number", "all real x"), "all real numbers"),
    **dict.fromkeys(("yes", "true", "correct"), "yes"),
    **dict.fromkeys(("no", "false", "incorrect"), "no"),
}  # fmt: skip

WORD_NUMBERS = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100}

# Known units: what they measure, and how many of the base unit they are.
UNITS: dict[str, tuple[str, Fraction]] = {}


def _unit(measure: str, factor: str, *names: str) -> None:
    UNITS.update(dict.fromkeys(names, (measure, Fraction(factor))))


_unit("length", "1/1000", "mm", "millimeter", "millimeters", "millimetre", "millimetres")
_unit("length", "1/100", "cm", "centimeter", "centimeters", "centimetre", "centimetres")
_unit("length", "1", "m", "meter", "meters", "metre", "metres")
_unit("length", "1000", "km", "kilometer", "kilometers", "kilometre", "kilometres")
_unit("length", "0.0254", "in", "inch", "inches")
_unit("length", "0.3048", "ft", "foot", "feet")
_unit("length", "0.9144", "yd", "yard", "yards")
_unit("length", "1609.344", "mi", "mile", "miles")
_unit("time", "1", "s", "sec", "secs", "second", "seconds")
_unit("time", "60", "min", "mins", "minute", "minutes")
_unit("time", "3600", "h", "hr", "hrs", "hour", "hours")
_unit("time", "86400", "day", "days")
_unit("time", "604800", "week", "weeks")
_unit("mass", "1/1000", "mg", "milligram", "milligrams")
_unit("mass", "1", "g", "gram", "grams")
_unit("mass", "1000", "kg", "kilogram", "kilograms")
_unit("volume", "1/1000", "ml", "mL", "milliliter", "milliliters", "millilitre", "millilitres")
_unit("volume", "1", "l", "L", "liter", "liters", "litre", "litres")
_unit("money", "1", "dollar", "dollars", "usd", "USD")
_unit("money", "1/100", "cent", "cents")
_unit("euro", "1", "euro", "euros", "EUR")
_unit("pound", "1", "pound sterling", "GBP")
_unit("yen", "1", "yen", "JPY")
_unit("rupee", "1", "rupee", "rupees", "INR")
