"""Statistics, text tables and figures from tidy tables.

Names in capitals, as in "rows of `TRAINING`", are tables of `hrta.study.analysis.schema`.
"""
