# Figures and tables about the tangent kernel.


def about_theory(notebook, results, stems, experiments, **parameters):
    """An item made from tables of the tangent-kernel theory."""
    parameters |= {
        "results_files": results,
        "experiments": labels(settings.experiments, experiments),
    }
    return Item(notebook, stems, results, parameters)


THEORY_ITEMS = {
    "figure_conditioning": about_theory(
        "conditioning",
        [f"results/spectra/{name}.parquet" for name in EVERY],
        figure_and_table("conditioning"),
        EVERY,
    ),
    "figure_width_limit": about_theory(
        "width_limit",
        theory_tables("width"),
        figure_and_table("width_limit"),
        theory.width_limit.experiments,
    ),
    "figure_sample_number": about_theory(
        "sample_number",
        theory_tables("samples"),
        figure_and_table("sample_number"),
        theory.sample_number.experiments,
    ),
    "figure_motion": about_theory(
        "motion",
        theory_tables("motion"),
        figure_and_table("motion") | {"steps_figure": "figures/motion_steps"},
        [theory.motion.experiment],
        methods=labels(settings.methods, theory.motion.methods),
        optimizers=labels(settings.optimizers, theory.motion.optimizers),
    ),
}
for name in theory.rates.experiments:
    THEORY_ITEMS[f"figure_rates_{name}"] = about_theory(
        "rates",
        [f"results/theory/rates/{name}.parquet"],
        figure_and_table(f"rates_{name}"),
        [name],
        methods=labels(settings.methods, theory.rates.methods),
    )
THEORY_ITEMS["table_jumps"] = about_runs(
    "jumps",
    {"table": "tables/jumps"},
    EVERY,
    **at_first_rate,
    jumps=theory_tables("jumps"),
)
THEORY_ITEMS["table_jumps"].results = runs_of(EVERY) + theory_tables("jumps")
add_items(THEORY_ITEMS)

OF_THE_THEORY = [
    *("figure_eigenvalues", "figure_spectra", "figure_conditioning", "figure_width_limit"),
    *("figure_sample_number", "figure_motion", "table_jumps"),
    *(f"figure_rates_{name}" for name in theory.rates.experiments),
]
