# What each kind of evidence is made from.

import json

from hrta.study.config.flat import numbers_of

EVERY_RACE = [file for name in RACES for file in race_results(name)]
EVIDENCE = {
    "final_losses": runs_of(EVERY),
    "switches": runs_of(EVERY),
    "races": EVERY_RACE,
    "tuning": [file for name in RACES for file in tuning_results(name)],
    "poisson": [
        f"results/poisson/{name}_{quadrature}.parquet"
        for name in settings.poisson.problems
        for quadrature in settings.poisson.quadratures
    ],
    "spectra": [f"results/spectra/{name}.parquet" for name in EVERY],
    **{
        f"theory_{part}": theory_tables(part)
        for part in ("rates", "motion", "width", "samples", "jumps")
    },
    "acceleration": ACCELERATION,
    "acceleration_steps": ACCELERATION,
    "slopes": SOLUTIONS,
    "slope_ends": SLOPES,
    "anmin": ALTERNATION,
    "data": [
        f"data/{name}.parquet"
        for name in dict.fromkeys([*EVERY, *(p for race in RACES.values() for p in race.problems)])
    ],
}
# A configuration may do without some of them.
EVIDENCE = {kind: files for kind, files in EVIDENCE.items() if files}
EVIDENCE_FILES = [
    *(f"results/evidence/{kind}.parquet" for kind in EVIDENCE),
    "results/evidence/configuration.json",
]
