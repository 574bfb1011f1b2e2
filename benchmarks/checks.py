"""What agrees with what was expected, and what does not."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Checks:
    """Counts what agrees and what does not, and prints both."""

    failed: list[str] = field(default_factory=list)

    def number(self, what: str, found: float, expected: float, tolerance: float = 0.006) -> None:
        """Compare a number that is given to two decimals."""
        self.that(f"{what}: {found:.2f} (expected {expected:.2f})", abs(found - expected) <= tolerance)

    def that(self, sentence: str, holds: bool) -> None:
        """Print a sentence and remember it when it does not hold."""
        print(f"  {'ok  ' if holds else 'FAIL'}  {sentence}", flush=True)
        if not holds:
            self.failed.append(sentence)
