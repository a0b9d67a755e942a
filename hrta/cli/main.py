"""The command line: all commands, and the messages of errors."""

import sys
import warnings
from importlib.metadata import version
from typing import Annotated

import typer

from hrta.cli.claims import app as claims
from hrta.cli.commands import app as commands
from hrta.cli.evidence import app as evidence
from hrta.cli.info import app as info
from hrta.cli.profile import app as profile
from hrta.cli.run import app as run
from hrta.cli.verify import app as verify
from hrta.runtime.processes import end_on_sigterm

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Homotopy relaxation training of two-layer networks (arXiv 2309.15244).",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"hrta {version('hrta')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version."),
    ] = False,
) -> None:
    pass


for part in (run, commands, evidence, claims, info, profile, verify):
    app.add_typer(part)


def _say_once(message: Warning, *where: object) -> None:
    """Print a warning once, on one line without the source line."""
    line = f"hrta: {message}"
    if line not in _said:
        print(line, file=sys.stderr)
        _said.add(line)


_said: set[str] = set()


def _in_one_line(error: Exception) -> str:
    """The first line of an error, and the number of further lines; for OSErrors file and reason."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    first, *more = str(error).splitlines() or [type(error).__name__]
    return f"{first} (and {len(more)} more)" if more else first


def main() -> None:
    """Run the command line; a user's error ends in one line and a non-zero exit code."""
    end_on_sigterm()
    warnings.showwarning = _say_once
    # Where the locale has no sign for a character, another one is better than no answer.
    sys.stdout.reconfigure(errors="replace")
    try:
        sys.exit(app(sys.argv[1:] or ["--help"], standalone_mode=False))
    except typer.TyperException as error:
        # Typer keeps the words that pydantic puts before the message of a ValueError.
        message = error.format_message().replace("Value error, ", "")
        print(f"hrta: {message}", file=sys.stderr)
        sys.exit(2)
    except (ValueError, OSError) as error:
        print(f"hrta: {_in_one_line(error)}", file=sys.stderr)
        sys.exit(1)
    except (MemoryError, RuntimeError) as error:
        # torch raises RuntimeError if it cannot allocate memory on CPU or GPU.
        if not isinstance(error, MemoryError) and "alloc" not in str(error):
            raise
        print(f"hrta: not enough memory: {str(error).splitlines()[0]}", file=sys.stderr)
        sys.exit(1)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
