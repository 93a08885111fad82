"""Says whether two answers are the same expression: the process that `mcts_dpo --symbolic-checker` asks.

A line of JSON on standard input, {"a": LaTeX, "b": LaTeX}, gets a line on standard output: {"same": true},
{"same": false} (also where one of them is no expression), or {"failed": why} where it could not be decided. Answers are
what a language model wrote, so nothing here evaluates text as Python: a parser of our own builds SymPy's objects, and
refuses what would grow large.
`--check` looks for SymPy and leaves."""

import json
import os
import resource
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # PYTHONSAFEPATH would leave it out
from answer_parser import NoExpression, Parser  # noqa: E402

DIGITS, AGREE = 60, -45  # of values, and the power of ten below which two of them are the same
POINTS = 12
MEMORY = 4 << 30


def point_of(sympy, symbols, index):
    """Values of symbols: rationals between -9 and 9, no two alike, all above 0 at the even points."""
    values = {}
    for number, symbol in enumerate(sorted(symbols, key=lambda each: each.name)):
        draw = (1 + number) * 7919 + index * 104729
        value = sympy.Rational(draw % 8513 + 487, 997)
        values[symbol] = -value if index % 2 and not symbol.is_positive and draw % 3 else value
    return values


def agreement(sympy, a, b):
    """None where there is no common value, else whether all values that are there are the same."""
    symbols = a.free_symbols | b.free_symbols
    imaginary = a.has(sympy.I) or b.has(sympy.I)
    seen = 0
    for index in range(POINTS if symbols else 1):
        values = point_of(sympy, symbols, index)
        x, y = (sympy.N(each.subs(values), DIGITS) for each in (a, b))
        parts = [part for each in (x, y) for part in each.as_real_imag()]
        if not all(part.is_Float or part.is_Rational for part in parts):
            continue
        size = max(abs(x), abs(y), sympy.Float("1e-30", DIGITS))
        if not imaginary and max(abs(parts[1]), abs(parts[3])) > size * sympy.Float(10, DIGITS)**AGREE:
            continue  # outside of where they are real
        if abs(x - y) > size * sympy.Float(10, DIGITS)**AGREE:
            return False
        seen += 1
    return None if seen < (2 if symbols else 1) else True


def same_expression(sympy, a, b):
    if a == b:
        return True
    if sympy.oo in (a, b) or -sympy.oo in (a, b):
        return False
    agree = agreement(sympy, a, b)
    if agree is False:
        return False
    pieces = (sympy.Abs, sympy.floor, sympy.ceiling, sympy.sign, sympy.Piecewise)
    if agree and not a.has(*pieces) and not b.has(*pieces):
        return True  # analytic: the same at so many points, to so many digits, is the same
    return sympy.simplify(sympy.expand(a - b)) == 0


def proportional(sympy, a, b, positive):
    """Whether a is b times a number other than 0."""
    if a.is_zero or b.is_zero:
        return False
    if not a.free_symbols or a.free_symbols != b.free_symbols:
        return False
    # The ratio where neither is 0, as a number; then an identity.
    point = point_of(sympy, a.free_symbols, 0)
    top, bottom = a.subs(point), b.subs(point)
    if bottom.is_zero or top.is_zero:
        return False
    ratio = sympy.nsimplify(top / bottom) if (top / bottom).is_Rational else sympy.simplify(a / b)
    if ratio.free_symbols or (positive and not ratio.is_positive):
        return False
    return same_expression(sympy, a, ratio * b)


def oriented(difference, relation):
    """Greater is less of the negative."""
    return (-difference, {">": "<", ">=": "<="}[relation]) if relation in (">", ">=") else (difference, relation)


def same_relations(sympy, a, b):
    (left, left_signs), (right, right_signs) = a, b
    if len(left) != len(right):
        return False
    ours = [oriented(*each) for each in zip(left, left_signs)]
    theirs = [oriented(*each) for each in zip(right, right_signs)]

    def same(pairs):
        return all(x[1] == y[1] and proportional(sympy, x[0], y[0], x[1] in ("<", "<=")) for x, y in pairs)

    return same(zip(ours, theirs)) or same(zip(ours, reversed(theirs)))


def same(sympy, first, second):
    try:
        a, b = Parser(sympy, first).parse(), Parser(sympy, second).parse()
    except NoExpression:
        return False
    if (a[1] is None) != (b[1] is None):
        return False
    return same_relations(sympy, a, b) if a[1] else same_expression(sympy, a[0], b[0])


def answer(sympy, line):
    # Else what was asked before could matter.
    sympy.core.random.seed(0)
    sympy.core.cache.clear_cache()
    try:
        request = json.loads(line)
        return {"same": bool(same(sympy, request["a"], request["b"]))}
    except Exception as error:  # SymPy's own kinds are many, and the next pair is none of this one's business
        return {"failed": type(error).__name__}


def check():
    try:
        from importlib.metadata import version
        return {"ready": version("sympy")}
    except ImportError:
        return {"failed": f"{sys.executable} has no package sympy"}


def main():
    # Answers alone go to the asker, whatever a library prints.
    out = os.fdopen(os.dup(1), "w", encoding="ascii", buffering=1)
    os.dup2(2, 1)
    if sys.argv[1:] == ["--check"]:
        print(json.dumps(check()), file=out)
        return
    limit = float(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    import sympy
    print(json.dumps({"ready": sympy.__version__}), file=out)
    for line in sys.stdin:
        # An asker that is gone stops nothing that runs here: this does.
        signal.setitimer(signal.ITIMER_REAL, 2 * limit + 1)
        print(json.dumps(answer(sympy, line)), file=out)
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
