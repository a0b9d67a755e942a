"""Figures from tidy tables.

Functions take tables, and the labels of the methods, problems, ... that are shown, in order. Names
in capitals, as in "rows of `TRAINING`", are tables of `hrta.study.analysis.schema`.
"""
