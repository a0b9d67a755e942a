"""The replication of arXiv 2309.15244."""

from hrta.runtime.imports import EXTRAS, require

require("hrta.study", *EXTRAS["study"])
