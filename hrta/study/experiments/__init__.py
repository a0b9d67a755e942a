"""From a spec to a tidy table: one module for each experiment.

Names in capitals, as in "rows of `TRAINING`", are tables of `hrta.study.analysis.schema`.
"""
