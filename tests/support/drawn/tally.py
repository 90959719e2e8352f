"""What became of drawn applications, and which features were exercised."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

ACCEPTED, UNDECLARABLE, REFUSED, ELSEWHERE = "accepted", "undeclarable", "refused", "elsewhere"


@dataclass
class Outcome:
    """What became of one application: its state, why, and what was exercised.

    ``wild`` is the reason why its first, wilder data was refused; ``moves`` says what became
    of moves to other engines.
    """

    state: str
    reasons: list[str] = field(default_factory=list)
    features: set[str] = field(default_factory=set)
    wild: str | None = None
    records: int = 0
    moves: list[str] = field(default_factory=list)


@dataclass
class Tally:
    """Counts over many applications."""

    states: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    drawn: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    records: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one."""
        self.states[outcome.state] += 1
        self.records += outcome.records
        self.drawn.update(outcome.features)
        if outcome.state == ACCEPTED:
            self.accepted.update(outcome.features)
        for reason in outcome.reasons:
            self.reasons[f"{outcome.state}: {general(reason)}"] += 1
        for move in outcome.moves:
            self.reasons[f"move {general(move)}"] += 1
        if outcome.wild:
            self.reasons[f"wild data: {general(outcome.wild)}"] += 1

    def never_accepted(self) -> list[str]:
        """Name the features that were drawn and never got through."""
        return sorted(self.drawn.keys() - self.accepted.keys())

    def __str__(self) -> str:
        lines = [f"{count:6} {name}" for name, count in self.states.most_common()]
        lines += [f"{self.records:6} records", "", "reasons:"]
        lines += [f"{count:6} {name}" for name, count in self.reasons.most_common()]
        lines += ["", "features (accepted of drawn):"]
        lines += [
            f"{self.accepted[name]:6} {self.drawn[name]:6} {name}" for name in sorted(self.drawn)
        ]
        return "\n".join(lines)


def general(reason: str) -> str:
    """Return a reason without what is one application's: names, values and numbers."""
    text = re.sub(
        r"'[^']*'|\"[^\"]*\"", "…", reason.replace("isn't", "is not").replace("can't", "can not")
    )
    text = re.sub(r"^\w+Schema: ", "", text.partition("\n")[0])
    return re.sub(r"-?\d[\d.e+]*", "#", text)[:110]
