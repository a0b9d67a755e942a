"""The command line."""

from hrta.runtime.imports import EXTRAS, require

require("the command hrta", *EXTRAS["study"])
