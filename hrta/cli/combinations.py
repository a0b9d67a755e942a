"""Options that have no effect, because of others: refused instead of ignored."""

from collections.abc import Collection, Iterable, Iterator

import typer
from typer.core import TyperCommand

from hrta.cli.fields import Options
from hrta.problems.datasets import INCLUDED
from hrta.study.config.base_spec import Spec
from hrta.study.config.race_spec import RaceSpec
from hrta.study.config.values import WITH_MOMENTUM


class OneValueEach(TyperCommand):
    """A command that refuses an option given twice, unless it is repeatable."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """As `TyperCommand`, which takes the last value.

        Raises:
            ValueError: an option is given twice.
        """
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        once = [each for each in given if not getattr(each, "multiple", False)]
        for each in once:
            if once.count(each) > 1:
                raise ValueError(f"{each.opts[0]} is given twice; it takes one value")
        return super().parse_args(ctx, args)


def check_combinations(given: Collection[str], options: Options) -> None:
    """Refuse the options that were given and have no effect beside the others.

    Args:
        given: names of the options on the command line.
        options: all options with their values.

    Raises:
        ValueError: the first of them, with the reason.
    """
    _refuse(given, [*_of_points(options), *_of_training(options)])


def check_race(given: Collection[str], spec: Spec) -> None:
    """As `check_combinations`, for a race, whose methods are known from its spec."""
    if isinstance(spec, RaceSpec) and not spec.can_use_gpu:
        reason = f"in a race of {' and '.join(sorted(spec.trainers))} alone"
        _refuse(given, [("device", reason), ("decay", reason)])


def _refuse(given: Collection[str], ineffective: Iterable[tuple[str, str]]) -> None:
    for name, reason in ineffective:
        if name in given:
            raise ValueError(f"--{name.replace('_', '-')} has no effect {reason}; leave it out")


def _of_points(options: Options) -> Iterator[tuple[str, str]]:
    """The options of the points that have no effect, each with the reason."""
    problem = str(options.get("problem") or options.get("name"))
    for source in ("csv", "openml"):
        if options.get(source) is not None:
            for name in ("problem", "points", "test_points"):
                yield name, f"beside --{source}"
    if problem.endswith(".parquet"):
        for name in ("points", "test_points", "seed"):
            yield name, f"beside the points of {problem}"
    if problem in INCLUDED:
        yield "test_points", f"beside {problem}, which has a fixed number of points"


def _of_training(options: Options) -> Iterator[tuple[str, str]]:
    """The options of networks and training that have no effect, each with the reason."""
    optimizer = options.get("optimizer")
    if optimizer not in WITH_MOMENTUM:
        yield "momentum", f"beside optimizer {optimizer}; {' and '.join(WITH_MOMENTUM)} have one"
    if options.get("adaptive") in ("none", ["none"]):
        for name in ("recovery", "scale"):
            yield name, "beside --adaptive none, which trains no slopes"
    if options.get("widths") == []:
        yield "seeds", "without --width, at infinite width"
