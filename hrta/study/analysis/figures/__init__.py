"""From tidy tables to figures.

Functions take tables and the labels of what is shown, in order. Names in capitals, as in "rows of
`TRAINING`", are tables of `hrta.study.analysis.schema`.
"""
