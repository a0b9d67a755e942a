"""The command `hrta`; `python -m hrta` is the same."""

import sys

from hrta.runtime.imports import MissingExtraError, uncollected


def main() -> None:
    """Run the command line; without its packages this ends in one line."""
    try:
        with uncollected():
            from hrta.cli.main import main as run
    except MissingExtraError as error:
        sys.exit(str(error))
    run()


if __name__ == "__main__":
    main()
