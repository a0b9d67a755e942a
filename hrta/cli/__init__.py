"""The command line."""

from hrta.runtime.imports import require

require("the command hrta", "pydantic", "typer", "yaml")
