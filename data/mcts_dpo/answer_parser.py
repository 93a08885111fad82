"""Reads an answer, LaTeX or plain, as SymPy's objects, without evaluating text: answers are what a language model wrote.
What is no expression, or would grow large, is refused."""

import re

MOST_BYTES = 512
MOST_TOKENS = 256
MOST_DEPTH = 48
MOST_BITS = 8192        # of a number
MOST_EXPONENT = 64      # of anything but a number

FUNCTIONS = ("arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "sqrt", "sin", "cos", "tan",
             "cot", "sec", "csc", "exp", "log", "abs", "ln", "lg")
GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu", "nu", "xi",
         "rho", "sigma", "tau", "phi", "varphi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Sigma",
         "Phi", "Psi", "Omega", "ell")
RELATIONS = {"=": "=", "<": "<", ">": ">", "\\le": "<=", "\\leq": "<=", "\\ge": ">=", "\\geq": ">=", "\\lt": "<",
             "\\gt": ">", "<=": "<=", ">=": ">=", "\\ne": "!=", "\\neq": "!="}
CLOSING = {"(": ")", "[": "]", "{": "}", "\\lfloor": "\\rfloor", "\\lceil": "\\rceil", "\\lvert": "\\rvert"}
TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?|\.\d+)|(\\[A-Za-z]+)|(<=|>=|\*\*)|([-+*/^(){}\[\]|!_=<>])|([A-Za-z]))")


class NoExpression(Exception):
    """The text is none that this parser knows, or one that would grow too large."""


def tokens_of(text):
    """Pairs of a kind (number, command, letter, sign) and a text; words that are functions are commands."""
    if len(text) > MOST_BYTES:
        raise NoExpression
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        word = next((name for name in FUNCTIONS + ("pi",) if text.startswith(name, at)), None)
        if word and (not tokens or tokens[-1][1] != "_"):
            tokens.append(("command", "\\" + word))
            at += len(word)
            continue
        match = TOKEN.match(text, at)
        if not match or len(tokens) == MOST_TOKENS:
            raise NoExpression
        number, command, pair, sign, letter = match.groups()
        if match.start(match.lastindex) > at:  # blanks: a function's name may follow
            at = match.start(match.lastindex)
            continue
        at = match.end()
        if number:
            tokens.append(("number", number))
        elif command:
            tokens.append(("command", command))
        elif letter:
            tokens.append(("letter", letter))
        else:
            tokens.append(("sign", {"**": "^"}.get(pair, pair) or sign))
    return tokens


class Parser:
    """Recursive descent to SymPy's objects. Letters are real variables, but e is Euler's number and i the imaginary
    unit."""

    def __init__(self, sympy, text):
        self.sympy = sympy
        self.tokens = tokens_of(text)
        self.at = self.depth = self.bars = 0

    def parse(self):
        """(expression, None), or (differences of sides, relations)."""
        sides, relations = [self.sum()], []
        while self.next() in RELATIONS:
            relations.append(RELATIONS[self.take()])
            sides.append(self.sum())
        if self.at < len(self.tokens) or len(relations) > 2:
            raise NoExpression
        if not relations:
            return self.checked(sides[0]), None
        return [self.checked(left - right) for left, right in zip(sides, sides[1:])], relations

    def checked(self, value):
        bad = (self.sympy.zoo, self.sympy.nan, self.sympy.oo, -self.sympy.oo)
        if value.has(*bad) and value not in (self.sympy.oo, -self.sympy.oo):
            raise NoExpression
        return value

    def next(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def kind(self):
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def take(self, wanted=None):
        token = self.next()
        if not token or wanted not in (None, token):
            raise NoExpression
        self.at += 1
        return token

    def took(self, wanted):
        found = self.next() == wanted
        self.at += found
        return found

    def sum(self):
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise NoExpression
        value = self.product()
        while self.next() in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        self.depth -= 1
        return value

    def product(self):
        negative = False
        while self.next() in ("+", "-"):
            negative ^= self.take() == "-"
        value = self.factors(functions=True)
        return -value if negative else value

    def factors(self, functions):
        """Products and quotients; of a function's argument without brackets what stands before the next function."""
        value = self.power()
        while True:
            if self.next() in ("*", "/") and functions:
                value = self.multiplied(value, self.take(), self.signed_power())
            elif self.begins_factor() and (functions or not self.begins_function()):
                value = self.multiplied(value, "*", self.power())
            else:
                return value

    def multiplied(self, left, sign, right):
        if sign == "/" and right.is_zero:
            raise NoExpression
        return self.bounded(left * right if sign == "*" else left / right)

    def signed_power(self):
        negative = self.took("-")
        return -self.power() if negative else self.power()

    def begins_function(self):
        return self.kind() == "command" and self.next()[1:] in FUNCTIONS

    def begins_factor(self):
        token, kind = self.next(), self.kind()
        if kind == "number":
            return False  # 2 3 is no product
        if token == "|":
            return self.bars == 0
        return kind == "letter" or token in ("(", "{", "[") or (kind == "command" and token not in RELATIONS and not
                                                               token.startswith("\\r"))

    def bounded(self, value):
        if value.is_Rational and max(int(value.p).bit_length(), int(value.q).bit_length()) > MOST_BITS:
            raise NoExpression
        return value

    def power(self):
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise NoExpression
        value = self.primary()
        while self.took("!"):
            value = self.factorial(value)
        if self.took("^"):
            value = self.raised(value, self.exponent())
            while self.took("!"):
                value = self.factorial(value)
        self.depth -= 1
        return value

    def exponent(self):
        return -self.power() if self.took("-") else self.power()

    def factorial(self, value):
        if value.is_number and not (value.is_Integer and 0 <= value <= 200):
            raise NoExpression
        return self.sympy.factorial(value)

    def raised(self, base, exponent):
        if exponent.is_number:
            if not exponent.is_Rational:
                if not base.is_number and base.free_symbols and abs(exponent) > MOST_EXPONENT:
                    raise NoExpression
            elif base.is_Rational:
                size = max(int(base.p).bit_length(), int(base.q).bit_length())
                if size * abs(exponent) > MOST_BITS or exponent.q > MOST_EXPONENT or (base.is_zero and exponent <= 0):
                    raise NoExpression
            elif abs(exponent) > MOST_EXPONENT or exponent.q > MOST_EXPONENT:
                raise NoExpression
        return self.sympy.Pow(base, exponent)

    def number(self):
        text = self.take()
        value = self.bounded(self.sympy.Rational(text + "0" if text.endswith(".") else text))
        # 1\frac{1}{2} is a sum.
        if text.isdigit() and self.next() == "\\frac" and self.tokens[self.at + 1:][:1] == [("sign", "{")]:
            before = self.at
            part = self.primary()
            plain = all(kind == "number" or token in ("{", "}", "\\frac")
                        for kind, token in self.tokens[before:self.at])
            return value + part if plain else value * part
        return value

    def group(self):
        """{...}, or one digit or letter, as LaTeX has it."""
        if self.next() != "{":
            return self.primary()
        self.take("{")
        value = self.sum()
        self.take("}")
        return value

    def primary(self):
        kind, token = self.kind(), self.next()
        if kind == "number":
            return self.number()
        if kind == "letter":
            return self.variable(self.take())
        if token == "|" or token in CLOSING:
            return self.bracketed()
        if kind == "command":
            return self.command()
        raise NoExpression

    def bracketed(self):
        opening = self.take()
        bars, self.bars = self.bars, int(opening == "|")
        value = self.sum()
        self.bars = bars
        self.take(CLOSING.get(opening, "|"))
        if opening in ("|", "\\lvert"):
            return self.sympy.Abs(value)
        if opening == "\\lfloor":
            return self.sympy.floor(value)
        return self.sympy.ceiling(value) if opening == "\\lceil" else value

    def subscript(self):
        if not self.took("_"):
            return ""
        if not self.took("{"):
            return "_" + self.take()
        name = ""
        while self.kind() in ("number", "letter"):
            name += self.take()
        self.take("}")
        return "_" + name

    def variable(self, name):
        name += self.subscript()
        if name == "e":
            return self.sympy.E
        return self.sympy.I if name == "i" else self.sympy.Symbol(name, real=True)

    def command(self):
        name = self.take()[1:]
        if name in ("frac", "dfrac", "tfrac"):
            top = self.group()
            return self.multiplied(top, "/", self.group())
        if name == "binom":
            n, k = self.group(), self.group()
            if any(each.is_number and not (each.is_Integer and abs(each) <= 1000) for each in (n, k)):
                raise NoExpression
            return self.sympy.binomial(n, k)
        if name == "sqrt":
            return self.root()
        if name == "pi":
            return self.sympy.pi
        if name == "infty":
            return self.sympy.oo
        if name in FUNCTIONS:
            return self.function(name)
        if name in GREEK:
            return self.variable(name)
        raise NoExpression

    def root(self):
        index = 2
        if self.took("["):
            index = self.take()
            if not index.isdigit() or not 2 <= int(index) <= 9:
                raise NoExpression
            index = int(index)
            self.take("]")
        inside = self.group() if self.next() in ("{", "(") else self.power()
        if index % 2 and inside.is_number and inside.is_negative:
            return -self.sympy.root(-inside, index)
        return self.sympy.root(inside, index)

    def function(self, name):
        base = None
        if name == "log" and self.took("_"):
            base = self.group()
        raised = self.exponent_of_function()
        argument = self.bracketed() if self.next() in ("(", "{", "[") else self.factors(functions=False)
        value = self.applied(name, argument, base)
        return value if raised is None else self.raised(value, raised)

    def exponent_of_function(self):
        if not self.took("^"):
            return None
        raised = self.group()
        if raised == -1:  # an inverse, or a reciprocal
            raise NoExpression
        return raised

    def applied(self, name, argument, base):
        sympy = self.sympy
        if name == "abs":
            return sympy.Abs(argument)
        if name in ("log", "ln", "lg"):
            if argument.is_zero:
                raise NoExpression
            if name == "ln":
                return sympy.log(argument)
            # Without a base it is 10 to some and e to others: what is the same for any is the same.
            if base is None:
                base = sympy.Integer(10) if name == "lg" else sympy.Symbol("base of log", positive=True)
            return sympy.log(argument) / sympy.log(base)
        name = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}.get(name, name)
        if name == "exp":
            return self.raised(sympy.E, argument)
        return getattr(sympy, name)(argument)
