"""The replication of arXiv 2309.15244."""

from hrta.runtime.imports import require

require("hrta.study", "pydantic")
