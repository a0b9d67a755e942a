"""The competing methods of related papers: their experiments and the race."""

from pydantic import model_validator

from hrta.study.config.acceleration import Acceleration
from hrta.study.config.adaptive_slopes import AdaptiveSlopes
from hrta.study.config.alternation import Alternation
from hrta.study.config.mistakes import check_names, refuse
from hrta.study.config.races import Race
from hrta.study.config.values import Strict


class Competitors(Strict):
    """The competing methods of related papers."""

    adaptive_slopes: AdaptiveSlopes
    acceleration: Acceleration
    alternation: Alternation
    race: Race

    @model_validator(mode="after")
    def _alternation_fits(self) -> "Competitors":
        width, against = self.alternation.width.value, self.alternation.against
        raced = [name for name, each in self.race.problems.items() if width in each.widths.value]
        for name in self.alternation.problems:
            if name not in raced:
                why = f"with width {width} the race has {', '.join(raced)}"
                refuse(["alternation", "problems"], name, why)
        if len(against) < 2 or "anmin" not in against:
            why = "must have anmin and another method"
            refuse(["alternation", "against"], against, why)
        check_names(["alternation", "against"], against, self.race.methods)
        return self
