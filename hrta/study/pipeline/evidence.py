"""Which results each kind of evidence is made from."""

from hrta.study.pipeline.plan import Plan


def evidence_inputs(plan: Plan) -> dict[str, list[str]]:
    """The result files that the evidence of each kind is made from; no kind without any."""
    races = plan.of_kind("race")
    inputs = {
        "final_losses": plan.tables("runs"),
        "switches": plan.tables("runs"),
        "races": [job.table for job in races],
        "tuning": [job.second_table for job in races],
        "poisson": plan.tables("poisson"),
        "spectra": plan.tables("spectra"),
        "theory_rates": plan.tables("theory/rates"),
        "theory_motion": plan.tables("theory/motion"),
        "theory_width": plan.tables("theory/width"),
        "theory_samples": plan.tables("theory/samples"),
        "theory_jumps": plan.tables("theory/jumps"),
        "acceleration": plan.tables("acceleration"),
        "acceleration_steps": plan.tables("acceleration"),
        "slopes": plan.second_tables("slopes"),
        "slope_ends": plan.tables("slopes"),
        "anmin": plan.tables("anmin"),
        "data": plan.problems(),
    }
    return {kind: files for kind, files in inputs.items() if files}
