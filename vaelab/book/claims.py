"""What the book claims, and the check that each claim still holds.

A chapter states a result in words. The cell that computes it calls :func:`claim` with the
condition that makes the words true, so that the words cannot outlive their truth. The claims
themselves, with their verdicts, are in ``claims.yml`` at the root of the repository.
"""

from __future__ import annotations

import html
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from IPython.display import display

CLAIMS_FILE = Path(__file__).resolve().parents[2] / "claims.yml"

# What a passed check says of the claim as it is usually told.
VERDICTS = {
    "sound": "confirmed",
    "loose": "made precise",
    "wrong": "corrected",
}
CHECKED = "checked"  # where claims.yml, and so the verdict, is out of reach

_TEXT = re.compile(
    rf"Claim (?P<id>[A-Z]\d{{3}}) ({'|'.join([*VERDICTS.values(), CHECKED])}): (?P<measured>.+)"
)


class ClaimError(AssertionError):
    """A claim of the book that is no longer true."""


@dataclass(frozen=True)
class Claim:
    """One entry of ``claims.yml``."""

    id: str
    claim: str
    verdict: str
    chapter: str
    correction: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]\d{3}", self.id):
            raise ValueError(f"id must be a letter and three digits, as in P022, got {self.id!r}")
        if self.verdict not in VERDICTS:
            raise ValueError(
                f"verdict of {self.id} must be one of {', '.join(VERDICTS)}, got {self.verdict!r}"
            )
        if (self.verdict == "sound") == bool(self.correction):
            raise ValueError(
                f"{self.id} is {self.verdict}: a correction belongs to loose and wrong claims, "
                f"and to each of them, got {self.correction!r}"
            )

    @property
    def statement(self) -> str:
        """The sentence that the book stands by."""
        return self.correction or self.claim


@cache
def load_claims(path: Path = CLAIMS_FILE) -> dict[str, Claim]:
    """The claims by id, in the order of the file."""
    claims = {}
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        one = Claim(**entry)
        if one.id in claims:
            raise ValueError(f"{path.name} lists {one.id} twice")
        claims[one.id] = one
    return claims


@dataclass(frozen=True)
class Outcome:
    """What a cell shows of a claim, as text and as HTML."""

    claim_id: str
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        words = html.escape(self.text)
        if os.environ.get("VAELAB_HOST") == "static":
            # In a built page the id leads to its entry on the page of claims, which leads back.
            link = f'<a href="../claims.html#{self.claim_id.lower()}">{self.claim_id}</a>'
            words = words.replace(self.claim_id, link, 1)
        return f'<p class="vaelab-claim" id="claim-{self.claim_id}">{words}</p>'


def claim(claim_id: str, condition: object, measured: str) -> None:
    """Show that a claim of the book holds, with what was measured; say so if it doesn't.

    When the book is built or tested (``VAELAB_CLAIMS=strict``) a false claim raises. In a
    reader's own session, where a sample size or a model may have been changed, it explains.

    Args:
        claim_id: An id of ``claims.yml``, such as ``"P022"``.
        condition: What must be true, computed in this notebook.
        measured: What was found, in words and rounded numbers.

    Raises:
        KeyError: If ``claims.yml`` has no such id.
        TypeError: If ``condition`` is not one truth value.
        ClaimError: If the condition is false and claims are strict.

    Example:
        >>> half = 0.5
        >>> claim("P022", half < 1, f"{half} is less than 1")
        Claim P022 confirmed: 0.5 is less than 1
    """
    found = _find(claim_id)
    if not _truth(claim_id, condition):
        message = _refutation(claim_id, found, measured)
        if os.environ.get("VAELAB_CLAIMS") == "strict":
            raise ClaimError(message)
        display(Outcome(claim_id, message))
        return

    outcome = VERDICTS[found.verdict] if found else CHECKED
    display(Outcome(claim_id, f"Claim {claim_id} {outcome}: {measured}"))


def measured_words(text: str) -> tuple[str, str] | None:
    """The id and the measured words in the plain text that :func:`claim` displayed, or None."""
    match = _TEXT.fullmatch(text)
    return (match["id"], match["measured"]) if match else None


def _find(claim_id: str) -> Claim | None:
    if not CLAIMS_FILE.exists():
        return None  # installed without the book, as on Colab
    claims = load_claims()
    if claim_id not in claims:
        raise KeyError(f"{CLAIMS_FILE.name} has no claim {claim_id!r}")
    return claims[claim_id]


def _truth(claim_id: str, condition: object) -> bool:
    try:
        return bool(condition)
    except (ValueError, RuntimeError) as error:  # numpy's and torch's, for more than one element
        raise TypeError(
            f"condition of {claim_id} must be one truth value, "
            f"got {type(condition).__name__} of shape {tuple(getattr(condition, 'shape', ()))}"
        ) from error


def _refutation(claim_id: str, found: Claim | None, measured: str) -> str:
    says = f" The book says: {found.statement.strip()}" if found else ""
    return (
        f"Claim {claim_id} does not hold here.{says} Measured now: {measured}. "
        f"If you changed something above, this is what the claim depends on."
    )
