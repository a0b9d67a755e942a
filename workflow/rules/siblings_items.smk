# The figures and tables about the neighbouring papers' methods.

race = siblings.race
baselines = {name: each.baseline for name, each in race.methods.items() if each.baseline}
shown = {"methods": labels(race.methods, race.methods), "baselines": baselines}
raced = shown | {"runs": race_results("race")}
on_problems = {"problems": labels(race.problems, race.problems)}
slopes = siblings.adaptive_slopes
alternation = siblings.alternation
against = race_results("race", alternation.against)
tuned = {"tuning": tuning_results("race")}

OF_THE_SIBLINGS = {
    "figure_slopes": Item(
        "slopes",
        figure_and_table("slopes") | {"curves_figure": "figures/slopes_curves"},
        SLOPES + SOLUTIONS,
        {
            "errors": SLOPES,
            "solutions": SOLUTIONS,
            "experiments": labels(settings.experiments, [slopes.experiment]),
            "variants": labels(slopes.variants, slopes.variants),
            "baseline": next(iter(slopes.variants)),
        },
    ),
    "figure_acceleration": Item(
        "acceleration",
        figure_and_table("acceleration")
        | {
            "travel_figure": "figures/acceleration_travel",
            "steps_table": "tables/acceleration_steps",
        },
        ACCELERATION,
        {
            "results_files": ACCELERATION,
            "experiments": labels(siblings.acceleration.problems, siblings.acceleration.problems),
        },
    ),
    "figure_anmin": Item(
        "anmin",
        figure_and_table("anmin"),
        ALTERNATION + against,
        {
            "results_files": ALTERNATION,
            "problems": labels(race.problems, alternation.problems),
            "methods": labels(race.methods, alternation.against),
            "runs": against,
            "width": alternation.width.value,
        }
        | at_the_end,
    ),
    "figure_race": Item(
        "race",
        {
            "figure": "figures/race",
            "table": "tables/leaderboard",
            "gains_table": "tables/gains",
            "tuned_table": "tables/tuned",
        },
        race_results("race") + tuning_results("race"),
        raced | on_problems | tuned | at_the_end | {"targets": race.targets.value},
    ),
    "figure_sensitivity": Item(
        "sensitivity",
        {"figure": "figures/sensitivity"},
        tuning_results("race"),
        shown | on_problems | tuned,
    ),
    "figure_race_curves": Item(
        "race_curves",
        figure_and_table("race"),
        race_results("race"),
        raced | on_problems | at_the_end,
        tuple(f"_{name}" for name in race.problems),
    ),
}
add_items(OF_THE_SIBLINGS)
