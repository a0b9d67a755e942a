# The figures and tables beyond two layers of ReLU.

beyond = settings.extensions


def race_item(name, notebook, stem, parts, more, **parameters):
    """An item about a race, whose methods consist of labelled parts."""
    race = RACES[name]
    return Item(
        notebook,
        figure_and_table(stem) | {"tuned_table": f"tables/{stem}_tuned"} | more,
        race_results(name) + tuning_results(name),
        {
            "runs": race_results(name),
            "tuning": tuning_results(name),
            "parts": parts,
            "methods": labels(race.methods, race.methods),
            "baselines": {
                method: each.baseline for method, each in race.methods.items() if each.baseline
            },
            "problems": labels(race.problems, race.problems),
        }
        | at_the_end
        | parameters,
    )


def about_networks(name, stem):
    """An item about networks of other activations or depths."""
    study = getattr(beyond, name)
    deep = len(study.hidden.value) > 1
    parts = {
        f"{base}_{layers}_{path}": {
            "network": f"{study.bases[base]}, {layers}" if deep else study.bases[base],
            "path": each.label,
        }
        for base, layers in study.networks
        for path, each in study.paths.items()
    }
    more = {"counts_table": f"tables/{stem}_counts", "finals_table": f"tables/{stem}_losses"}
    return race_item(name, "networks", stem, parts, more)


schedules = beyond.schedules
OF_BEYOND = {
    "figure_schedules": race_item(
        "schedules",
        "schedules",
        "schedules",
        {
            f"{name}_{optimizer}": {"path": variant.label, "optimizer": chosen.label}
            for optimizer, chosen in schedules.optimizers.items()
            for name, variant in schedules.variants.items()
        },
        {
            "curves_figure": "figures/schedules_curves",
            "counts_table": "tables/schedules_counts",
            "ranks_table": "tables/schedules_ranks",
        },
        shown=[schedules.variants[name].label for name in schedules.curves],
        width=max(width for each in schedules.problems.values() for width in each.widths.value),
        targets=schedules.targets.value,
    ),
    "figure_other_activations": about_networks("activations", "other_activations"),
    "figure_deep_networks": about_networks("depth", "deep_networks"),
}
add_items(OF_BEYOND)
