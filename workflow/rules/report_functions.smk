# What the report shows, in which section, under which title, and what it was configured with.

NOTEBOOKS = Path(workflow.basedir, "notebooks")
PAPER_NAMES = [
    "figure_activations",
    *(f"figure_{of}{name}" for name in PAPER for of in ("", "learning_rates_")),
    "figure_width",
    "table_final_losses",
    "figure_eigenvalues",
    *(f"figure_{name}" for name, each in poisson.problems.items() if each.paper),
]
SECTIONS = {
    "The paper": PAPER_NAMES,
    "The tangent kernel": [name for name in OF_THE_THEORY if name not in PAPER_NAMES],
    "Neighbouring methods": list(OF_THE_SIBLINGS),
}
grouped = {name for names in SECTIONS.values() for name in names}
SECTIONS["Beyond the paper"] = [name for name in ITEMS if name not in grouped]
SECTION_OF = {name: section for section, names in SECTIONS.items() for name in names}

# What items that share a notebook are told apart by.
SUBJECTS = (
    {
        f"figure_{of}{name}": each.label
        for name, each in settings.experiments.items()
        for of in ("", "learning_rates_", "rates_")
    }
    | {f"figure_{name}": each.label for name, each in poisson.problems.items()}
    | {name: "all problems" for name in ("figure_width_all", "table_final_losses_all")}
    | {"figure_other_activations": "one hidden layer", "figure_deep_networks": "several layers"}
)

# By the folder of the results, the parts of the configuration that made them; {0} and {1} stand
# for the folders or the file in it.
CONFIGURED = {
    "runs": ["seeds", "training", "methods", "optimizers.{1}", "experiments.{0}"],
    "spectra": ["spectra", "experiments.{0}.points", "experiments.{0}.widths"],
    "theory/width": ["theory.s", "theory.width_limit", "experiments.{0}.points"],
    "theory/samples": ["theory.s", "theory.sample_number"],
    "theory/motion": ["theory.motion", "methods", "optimizers.{0}", "training.decay"],
    "theory/rates": ["theory.rates", "methods"],
    "theory/jumps": ["methods", "experiments.{0}.points"],
    "race": ["competitors.race", "training.decay", "training.final_fraction"],
    "acceleration": ["competitors.acceleration"],
    "slopes": ["competitors.adaptive_slopes"],
    "anmin": ["competitors.alternation"],
    "poisson": ["poisson", "training.decay", "training.final_fraction"],
    "schedules": ["extensions.schedules", "training.decay", "training.final_fraction"],
    "activations": ["extensions.activations", "training.decay", "training.final_fraction"],
    "depth": ["extensions.depth", "training.decay", "training.final_fraction"],
    "sweep": ["sweep", "training.decay", "training.final_fraction"],
}


def configured(item):
    """The parts of the configuration that an item's results were made with."""
    keys = []
    for file in item.results:
        folder, *rest = Path(file).relative_to("results").with_suffix("").parts
        if folder == "theory":
            folder, rest = f"theory/{rest[0]}", rest[1:]
        keys += [key.format(*rest) for key in CONFIGURED[folder]]
    return list(dict.fromkeys(keys))


def title_of(name):
    """The notebook's heading, and which of its items this is."""
    source = json.loads((NOTEBOOKS / f"{ITEMS[name].notebook}.ipynb").read_text())
    heading = "".join(source["cells"][0]["source"]).splitlines()[0].removeprefix("# ")
    return ": ".join([heading, *([SUBJECTS[name]] if name in SUBJECTS else [])])


def shown(item):
    """The figures and tables of an item: stem of the files, caption, which of several it is."""
    return [
        {
            "stem": f"{stem}{more}",
            "caption": f"{item.notebook}.{parameter}.rst",
            "of": item.parameters["problems"][more[1:]] if more else "",
        }
        for more in item.more
        for parameter, stem in item.writes.items()
    ]


def for_the_report(name):
    """The files of an item; those that Snakemake's own report shows are marked so."""
    item = ITEMS[name]
    marked = {}
    for each in shown(item):
        suffix = "png" if each["stem"].startswith("figures/") else "csv"
        labels = {"item": title_of(name), "shows": Path(each["stem"]).name.replace("_", " ")}
        marked[f"{each['stem']}.{suffix}"] = report(
            f"{each['stem']}.{suffix}",
            caption=f"../report/captions/{each['caption']}",
            category=SECTION_OF[name],
            labels=labels | {"as": Path(each["stem"]).parts[0].removesuffix("s")},
        )
    return [marked.get(file, file) for file in item.files]


def contents():
    """What the report shows, section by section, as its script reads it."""
    return {
        section: [
            {
                "name": name,
                "title": title_of(name),
                "shown": shown(ITEMS[name]),
                "configured": configured(ITEMS[name]),
            }
            for name in names
        ]
        for section, names in SECTIONS.items()
    }
