"""Sections of a prompt."""

from __future__ import annotations

from dataclasses import dataclass

BUDGET = 16_000


@dataclass(frozen=True)
class Section:
    """A part of a prompt: `variants` are bodies in Markdown, the fullest first; an empty one leaves
    it out.

    What is `required` is never left out.
    """

    title: str
    variants: tuple[str, ...]
    required: bool = False

    def to_markdown(self, variant: int = 0) -> str:
        """The section with one of its bodies."""
        return f"## {self.title}\n\n{self.variants[variant].strip()}\n"
