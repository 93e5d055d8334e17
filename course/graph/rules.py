"""What each operation does, and what it hands back, in the names of the code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """An operation in words: `{a}` and `{b}` are its operands, `{o}` its value, `{o}_bar` that one's cotangent.

    `back` is what each operand gets, in order; one text stands for all of them. Empty where nothing comes back.
    """

    symbol: str
    forward: str
    back: tuple[str, ...] = ()


_AS_IT_IS = ("{o}_bar",)
_RESHAPED = ("{o}_bar, in the shape of {a}",)

RULES: Mapping[str, Rule] = {
    "add": Rule("+", "{a} + {b}", _AS_IT_IS),
    "add_any": Rule("+", "{a} + {b}", _AS_IT_IS),
    "sub": Rule("−", "{a} - {b}", ("{o}_bar", "-{o}_bar")),
    "mul": Rule("×", "{a} * {b}", ("{o}_bar * {b}", "{o}_bar * {a}")),
    "div": Rule("÷", "{a} / {b}", ("{o}_bar / {b}", "-{o}_bar * {o} / {b}")),
    "neg": Rule("−", "-{a}", ("-{o}_bar",)),
    "exp": Rule("exp", "exp({a})", ("{o}_bar * {o}",)),
    "exp2": Rule("2^", "2**{a}", ("{o}_bar * {o} * log(2)",)),
    "log": Rule("log", "log({a})", ("{o}_bar / {a}",)),
    "log1p": Rule("log1p", "log(1 + {a})", ("{o}_bar / (1 + {a})",)),
    "expm1": Rule("expm1", "exp({a}) - 1", ("{o}_bar * ({o} + 1)",)),
    "tanh": Rule("tanh", "tanh({a})", ("{o}_bar * (1 - {o}**2)",)),
    "logistic": Rule("σ", "sigmoid({a})", ("{o}_bar * {o} * (1 - {o})",)),
    "sin": Rule("sin", "sin({a})", ("{o}_bar * cos({a})",)),
    "cos": Rule("cos", "cos({a})", ("-{o}_bar * sin({a})",)),
    "sqrt": Rule("√", "sqrt({a})", ("{o}_bar / (2 * {o})",)),
    "rsqrt": Rule("1/√", "1 / sqrt({a})", ("-{o}_bar * {o} / (2 * {a})",)),
    "square": Rule("²", "{a}**2", ("{o}_bar * 2 * {a}",)),
    "integer_pow": Rule("^{y}", "{a}**{y}", ("{o}_bar * {y} * {a}**{less}",)),
    "pow": Rule("^", "{a}**{b}", ("{o}_bar * {b} * {a}**({b} - 1)", "{o}_bar * {o} * log({a})")),
    "abs": Rule("|·|", "abs({a})", ("{o}_bar * sign({a})",)),
    "erf": Rule("erf", "erf({a})", ("{o}_bar * 2 / sqrt(pi) * exp(-{a}**2)",)),
    "max": Rule("max", "maximum of {a} and {b}", ("{o}_bar where it is the larger one, half where they are equal",)),
    "min": Rule("min", "minimum of {a} and {b}", ("{o}_bar where it is the smaller one, half where they are equal",)),
    "select_n": Rule("where", "one or the other, entry by entry", ("{o}_bar where it was taken, else 0",)),
    "reduce_sum": Rule("Σ", "{a} summed", ("{o}_bar, once for each number that was summed",)),
    "reduce_max": Rule("max", "the largest of {a}", ("{o}_bar where the largest stands, shared where several do",)),
    "reduce_min": Rule("min", "the smallest of {a}", ("{o}_bar where the smallest stands, shared where several do",)),
    "broadcast_in_dim": Rule("repeat", "{a}, repeated", ("{o}_bar, summed over what was repeated",)),
    "reshape": Rule("reshape", "{a} in another shape", _RESHAPED),
    "squeeze": Rule("reshape", "{a} in another shape", _RESHAPED),
    "expand_dims": Rule("reshape", "{a} in another shape", _RESHAPED),
    "transpose": Rule("T", "{a} transposed", ("{o}_bar transposed back",)),
    "rev": Rule("reverse", "{a} in reverse", ("{o}_bar in reverse",)),
    "concatenate": Rule("join", "all of them in a row", ("its own part of {o}_bar",)),
    "slice": Rule("[:]", "a part of {a}", ("{o}_bar in that part, else 0",)),
    "dynamic_slice": Rule("[:]", "a part of {a}", ("{o}_bar in that part, else 0",)),
    "gather": Rule("[i]", "entries of {a}", ("{o}_bar, added where each entry was taken from",)),
    "scatter-add": Rule("+[i]", "{a} with entries added", ("{o}_bar", "", "the entries of {o}_bar")),
    "cumsum": Rule("cumsum", "{a} summed up to each place", ("{o}_bar summed from each place on",)),
    "convert_element_type": Rule("type", "{a} as another type", ("{o}_bar as the type of {a}",)),
    "copy": Rule("=", "{a}", _AS_IT_IS),
    "stop_gradient": Rule("stop", "{a}, held fast"),
    "gt": Rule(">", "{a} > {b}"),
    "lt": Rule("<", "{a} < {b}"),
    "ge": Rule("≥", "{a} >= {b}"),
    "le": Rule("≤", "{a} <= {b}"),
    "eq": Rule("=", "{a} == {b}"),
    "ne": Rule("≠", "{a} != {b}"),
    "scan": Rule("loop", "a loop of {length} rounds", ("what its rounds hand back, from the last to the first",)),
    "while": Rule("while", "a loop whose end the numbers decide"),
    "cond": Rule("if", "the branch that was taken", ("what the branch that was taken hands back",)),
    "iota": Rule("0..", "the numbers from 0 on"),
}

_FIELD = re.compile(r"(?P<before>\(?)\{(?P<name>\w+)\}(?P<bar>(?<=\{o\})_bar)?")

_MATRICES = Rule("@", "{a} @ {b}", ("{o}_bar @ {b}.T", "{a}.T @ {o}_bar"))
_PRODUCT = Rule("@", "a product of {a} and {b}", ("the product of {o}_bar with {b}", "the product of {a} with {o}_bar"))


def rule_of(eqn: Any) -> Rule:
    """The rule of an equation; of an operation that has no words here, its name."""
    name = eqn.primitive.name
    if name == "dot_general":
        ranks = [len(var.aval.shape) for var in eqn.invars]
        return _MATRICES if ranks == [2, 2] and eqn.params["dimension_numbers"][0] == ((1,), (0,)) else _PRODUCT
    if name.startswith("custom_"):
        inner = eqn.params.get("call_jaxpr") or eqn.params.get("fun_jaxpr")
        called = str(getattr(getattr(inner, "jaxpr", inner), "debug_info", "") and inner.jaxpr.debug_info.func_name)
        known = called if called.isidentifier() else name
        return Rule(known, f"{known}({{a}})", (f"{{o}}_bar by the rule that {known} carries",))
    return RULES.get(name, Rule(name, f"{name} of {{a}}", ("{o}_bar by the rule of " + name,)))


def forward_words(eqn: Any, rule: Rule, operands: Sequence[str]) -> str:
    """What an equation computes, without the name of its value."""
    return _filled(rule.forward, eqn, operands, "")


def back_words(eqn: Any, rule: Rule, operands: Sequence[str], value: str, place: int) -> str:
    """What an equation hands back to one of its operands."""
    if not rule.back:
        return "nothing"
    return _filled(rule.back[min(place, len(rule.back) - 1)] or "nothing", eqn, operands, value)


def symbol_of(eqn: Any, rule: Rule) -> str:
    """What an equation does, in a few characters."""
    return _filled(rule.symbol, eqn, (), "")


def bar_of(name: str) -> str:
    """What the cotangent of a value is called."""
    return f"{name}_bar" if name.isidentifier() else f"({name})_bar"


def _filled(text: str, eqn: Any, operands: Sequence[str], value: str) -> str:
    """A template with its names put in; one that stands in brackets already gets none of its own."""
    power = eqn.params.get("y", 0)
    names = dict(zip("ab", (*operands, "", ""), strict=False)) | {"o": value}
    numbers = {"y": power, "less": power - 1 if isinstance(power, int) else "", "length": eqn.params.get("length", "")}

    def put(found: re.Match[str]) -> str:
        before, name = found["before"] or "", found["name"]
        if found["bar"]:
            return before + bar_of(value)
        if name in numbers:
            return f"{before}{numbers[name]}"
        return before + (names[name] if before == "(" else _in_brackets(names[name]))

    return _FIELD.sub(put, text.replace("**{less}", "") if power == 2 else text)


def _in_brackets(name: str) -> str:
    """An expression that other signs may stand beside."""
    plain = name.isidentifier() or name.replace(".", "").replace("[", "").replace("]", "").isalnum()
    return name if plain or name.endswith(")") or not name else f"({name})"
