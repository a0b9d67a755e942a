# The figures and tables of the Poisson problem.

poisson = settings.poisson
OF_POISSON = {}
for name in poisson.problems:
    runs = {f"{name}_{quadrature}": each.label for quadrature, each in poisson.quadratures.items()}
    files = [f"results/poisson/{experiment}.parquet" for experiment in runs]
    solutions = [f"results/poisson/{experiment}_solutions.parquet" for experiment in runs]
    OF_POISSON[f"figure_{name}"] = Item(
        "poisson",
        figure_and_table(name) | {"curves_figure": f"figures/{name}_curves"},
        files + solutions,
        {
            "results_files": files,
            "solutions_files": solutions,
            "experiments": runs,
            "methods": labels(poisson.methods, poisson.methods),
            "baseline": next(iter(poisson.methods)),
            "shown": next(iter(runs)),
        }
        | at_the_end,
    )
add_items(OF_POISSON)
