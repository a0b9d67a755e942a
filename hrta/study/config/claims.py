"""The claims as data: statement, source, the evidence each is judged on, and the rules."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Discriminator, Field, Tag

from hrta.study.config.mistakes import ConfigError, checked
from hrta.study.config.values import (
    Count,
    HomotopyParameter,
    Label,
    PositiveNumber,
    Several,
    Source,
    Strict,
)
from hrta.study.config.yaml_files import read_yaml

Rule = Literal["paired", "every"]
Word = TypeVar("Word")
Item = TypeVar("Item")


def _kind(given: object) -> str:
    return "[word]" if isinstance(given, str) else "[list]"


# A word or a list. The type is decided first, so that a mistake gives one line.
Chosen = Annotated[
    Annotated[Word, Tag("[word]")] | Annotated[Several[Item], Tag("[list]")], Discriminator(_kind)
]
All = Literal["all"]


class Judged(Strict):
    """The rule, and the problems that are judged."""

    rule: Rule
    problems: Chosen[All, str] = "all"


class Runs(Judged):
    """Final losses or errors of methods over those of a baseline with the same initial weights.

    Attributes:
        learning_rates: the lowest of each optimizer, each method's own best, all, or a list.
        contrast: method: the ratio itself; width: the ratio at the largest width over that at the
            smallest.
    """

    table: Literal["final_losses", "poisson"]
    widths: Chosen[All, Count]
    optimizers: Chosen[All, str]
    learning_rates: Chosen[Literal["all", "lowest", "own_best"], PositiveNumber]
    methods: Several[str]
    baseline: str
    measures: Several[str]
    contrast: Literal["method", "width"] = "method"


class Races(Judged):
    """Final losses of a race's paths over those of the baseline path of the same network.

    The name of a method is network_path. The table of a race has no column for its optimizer.
    """

    table: Literal["races"]
    race: str
    optimizer: str
    widths: Chosen[All, Count]
    networks: Chosen[All, str]
    methods: Several[str]
    baseline: str
    measures: Several[str]


class Spectra(Judged):
    """Smallest eigenvalues of the tangent kernel.

    Attributes:
        kernel: infinite width (closed form), or finite networks, one for each seed.
        s: homotopy parameters; all means those in (0, 2).
        contrast: rounding: n eps lambda_max over lambda_min; growth: lambda_min at an s over that
            at the next larger s.
    """

    table: Literal["spectra"]
    kernel: Literal["infinite", "finite"]
    widths: Chosen[All, Count] = "all"
    s: Chosen[All, HomotopyParameter]
    contrast: Literal["rounding", "growth"]


class Bound(Judged):
    """The loss over the bound, for each stage."""

    table: Literal["theory_rates"]
    widths: Chosen[Literal["all", "largest"], Count]
    methods: Chosen[All, str]


Evidence = Annotated[Runs | Races | Spectra | Bound, Field(discriminator="table")]


class Shown(Strict):
    """The notebook that shows a claim, and the workflow's target that executes it."""

    notebook: Annotated[str, Field(pattern=r"^notebooks/\w+\.ipynb$")]
    target: Annotated[str, Field(pattern=r"^(figure|table)_\w+$")]


class Claim(Strict):
    """A claim and how it is judged.

    Attributes:
        note: what the source says, and what is assumed.
        any_of: column of alternatives: the claim holds if it holds for all cells with one of the
            values of this column.
        told_by: columns by whose values the summary counts the verdicts on the cells.
    """

    statement: Label
    source: Source
    note: Label | None = None
    judged_on: Annotated[list[Evidence], Field(min_length=1)]
    any_of: Literal["optimizer"] | None = None
    told_by: Several[Literal["problem", "width", "optimizer", "network", "method", "measure"]]
    shown: Shown


class Claims(Strict):
    """The file of the claims: meanings of the rules, labels of names, claims by number."""

    rules: dict[Rule, Label]
    labels: dict[str, Label]
    claims: Annotated[dict[Annotated[int, Field(ge=1)], Claim], Field(min_length=1)]

    @property
    def tables(self) -> list[str]:
        """The kinds of evidence that the claims are judged on."""
        every = (judged.table for claim in self.claims.values() for judged in claim.judged_on)
        return sorted(set(every))


def read_claims(path: str | Path) -> Claims:
    """The claims in a YAML file.

    Raises:
        ConfigError: one line for each mistake, with its key.
        OSError: the file cannot be read.
    """
    content = read_yaml(Path(path).read_text(encoding="utf-8"), str(path))
    claims = checked(Claims, content, str(path))
    for number, claim in claims.claims.items():
        for i, judged in enumerate(claim.judged_on):
            if judged.rule not in claims.rules:
                where = f"{path}: claims.{number}.judged_on.{i}.rule"
                raise ConfigError(f"{where}: {judged.rule!r} given; it is not among the rules")
    return claims
