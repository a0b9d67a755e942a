"""From tidy tables to numbers and text.

Names in capitals, as in "rows of `TRAINING`", are tables of `hrta.study.analysis.schema`.
"""
