"""A PromQL expression that knows the labels of its result; ``builders`` makes them."""

from __future__ import annotations

from dataclasses import dataclass, replace


class ExprError(ValueError):
    """An expression over something that the catalogue does not contain."""


CHAINED = ("and", "or")


@dataclass(frozen=True, slots=True, eq=False)
class Expr:
    """PromQL text, the labels of its result and its outermost binary operator.

    ``exemplars`` tells whether it reads a histogram's buckets.
    """

    text: str
    labels: frozenset[str] = frozenset()
    operator: str = ""
    scalar: bool = False
    exemplars: bool = False

    def __str__(self) -> str:
        return self.text

    def _join(self, operator: str, other: Expr | float) -> Expr:
        right = other if isinstance(other, Expr) else Expr(f"{other:.12g}", scalar=True)
        vectors = not self.scalar and not right.scalar
        if vectors and operator != "or" and self.labels != right.labels:
            raise ExprError(f"{sorted(self.labels)} never match {sorted(right.labels)}: {self}")
        chain = ("", operator if operator in CHAINED else "")
        sides = (side.text if side.operator in chain else f"({side})" for side in (self, right))
        return Expr(
            f" {operator} ".join(sides),
            self.labels | right.labels,
            operator,
            scalar=self.scalar and right.scalar,
            exemplars=self.exemplars or right.exemplars,
        )

    def __truediv__(self, other: Expr | float) -> Expr:
        return self._join("/", other)

    def __mul__(self, other: Expr | float) -> Expr:
        return self._join("*", other)

    def __add__(self, other: Expr | float) -> Expr:
        return self._join("+", other)

    def __sub__(self, other: Expr | float) -> Expr:
        return self._join("-", other)

    def __rsub__(self, other: float) -> Expr:
        return Expr(f"{other:.12g}", scalar=True) - self

    def __gt__(self, other: Expr | float) -> Expr:
        return self._join(">", other)

    def __lt__(self, other: Expr | float) -> Expr:
        return self._join("<", other)

    def __and__(self, other: Expr) -> Expr:
        return self._join("and", other)

    def __or__(self, other: Expr) -> Expr:
        return self._join("or", other)

    def equals(self, other: float) -> Expr:
        """Keep only the series whose value is ``other``."""
        return self._join("==", other)

    def appeared(self, ago: str) -> Expr:
        """Keep only the series that did not exist ``ago``; for a plain selector."""
        return self._join("unless", replace(self, text=f"{self} offset {ago}"))
