"""A scheduler takes a model through stages."""

import io

import pytest
import torch
from torch import nn

import hrta
from hrta import HomotopyActivation, Plateau, Schedule, Stage
from hrta.drop_in import HomotopyScheduler, convert

STAGES = [Stage(0.5, 3), Stage(1.0, 2), Stage(1.5, 4)]


def model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(2, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 8), nn.ReLU()), nn.Linear(8, 1)
    )


def parameters_of(network):
    return [float(m.s) for m in network.modules() if isinstance(m, HomotopyActivation)]


def test_a_scheduler_is_given_the_model_and_not_its_optimizer():
    network = convert(model())
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    with pytest.raises(ValueError, match="not its optimizer; it is a SGD"):
        HomotopyScheduler(optimizer, STAGES)


def test_stages_follow_one_another():
    network = convert(model())
    scheduler = HomotopyScheduler(network, STAGES)
    seen, switched = [], []
    for _ in range(12):
        seen.append(scheduler.s)
        assert parameters_of(network) == [scheduler.s] * 2
        switched.append(scheduler.step())
    assert seen == [0.5] * 3 + [1.0] * 2 + [1.5] * 7
    assert [i for i, value in enumerate(switched) if value] == [2, 4]


def test_it_is_the_trainers_schedule(small_problem, small_networks):
    """The loop that anybody would write, with the drop-in, against hrta.train."""
    schedule = Schedule(STAGES)
    trained = hrta.train(small_problem, small_networks, schedule, "gradient_descent", 0.05)
    inner, outer = small_networks.inner[0], small_networks.outer[0]
    network = nn.Sequential(nn.Linear(2, 11), nn.ReLU(), nn.Linear(11, 1, bias=False)).double()
    with torch.no_grad():
        network[0].weight.copy_(inner[:-1].T)
        network[0].bias.copy_(inner[-1])
        network[2].weight.copy_(outer)
    convert(network)
    scheduler = HomotopyScheduler(network, schedule)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    x, y = torch.tensor(small_problem.x), torch.tensor(small_problem.y)
    losses = []
    for _ in range(schedule.steps):
        optimizer.zero_grad()
        loss = ((network(x).squeeze(1) / 11**0.5 - y) ** 2).mean() / 2
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
        scheduler.step()
    expected = trained.history.query("run == 0")["loss"].to_numpy()[:-1]
    assert losses == pytest.approx(expected, rel=1e-10)


def test_schedulers_of_parts_of_a_model_leave_the_others_alone():
    network = convert(model(), s=1.25)
    first = HomotopyScheduler(network[:2], STAGES)
    assert parameters_of(network) == [0.5, 1.25]
    second = HomotopyScheduler(network[2][1], [Stage(0, 1), Stage(2, 1)])
    second.step()
    assert parameters_of(network) == [0.5, 2.0]
    for _ in range(3):
        first.step()
    assert parameters_of(network) == [1.0, 2.0]


def test_a_module_in_two_places_is_in_one_stage():
    shared = nn.ReLU()
    network = convert(
        nn.Sequential(nn.Linear(2, 2), shared, nn.Sequential(nn.Linear(2, 2), shared))
    )
    HomotopyScheduler(network[2], [Stage(1.5, 1)])
    assert float(network[1].s) == float(network[2][1].s) == 1.5


def test_a_plateau_ends_a_stage():
    scheduler = HomotopyScheduler(
        convert(model()), [Stage(1, 100), Stage(1.5, 100)], Plateau(2, 0.1)
    )
    switched = [scheduler.step(torch.tensor(loss)) for loss in (1.0, 0.5, 0.49, 0.3, 0.29, 0.28)]
    assert switched == [False] * 5 + [True]
    # The next stage has a lowest loss of its own, and the last one never ends.
    assert not any(scheduler.step(9.0) for _ in range(300))
    with pytest.raises(ValueError, match="with a plateau rule, step must be given the loss"):
        scheduler.step()


def test_the_loss_may_be_the_tensor_that_was_trained_on():
    network = convert(model())
    scheduler = HomotopyScheduler(network, [Stage(1, 9), Stage(1.5, 9)], Plateau(1, 0.5))
    loss = network(torch.ones(1, 2)).square().mean()
    assert [scheduler.step(loss), scheduler.step(loss)] == [False, True]
    loss.backward()


@pytest.mark.parametrize("loss", [torch.ones(2), "low", [1.0, 2.0]])
def test_what_is_no_loss_is_refused_and_makes_no_step(loss):
    scheduler = HomotopyScheduler(convert(model()), STAGES, Plateau())
    before = scheduler.state_dict()
    with pytest.raises(ValueError, match="loss must be a number; it is "):
        scheduler.step(loss)
    assert scheduler.state_dict() == before
    assert not HomotopyScheduler(convert(model()), STAGES).step(loss)  # no rule, so not looked at


def test_a_loss_that_is_not_a_number_is_no_progress():
    scheduler = HomotopyScheduler(convert(model()), STAGES, Plateau(2))
    assert [scheduler.step(float("nan")) for _ in range(2)] == [False, True]


def test_state_survives_save_and_load_in_the_middle_of_a_stage():
    def fresh():
        return HomotopyScheduler(convert(model()), STAGES, Plateau(2, 0.0))

    scheduler, losses = fresh(), [3.0, 2.0, 2.5, 2.6, 5.0, 4.0, 4.5, 4.6]
    for loss in losses[:4]:
        scheduler.step(loss)
    file = io.BytesIO()
    torch.save(scheduler.state_dict(), file)
    file.seek(0)
    other = fresh()
    other.load_state_dict(torch.load(file, weights_only=True))
    for loss in losses[4:]:
        assert scheduler.step(loss) == other.step(loss)
        assert (scheduler.stage, scheduler.s) == (other.stage, other.s)
    assert scheduler.state_dict() == other.state_dict()


def test_training_resumes_bit_by_bit_beside_an_optimizer_and_a_learning_rate():
    torch.manual_seed(1)
    batches = torch.randn(8, 16, 2)

    class Run:
        def __init__(self):
            self.network = convert(model())
            self.optimizer = torch.optim.Adam(self.network.parameters(), 0.01)
            self.rate = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, 0.9)
            self.homotopy = HomotopyScheduler(self.network, STAGES, Plateau(3))
            self.parts = [self.network, self.optimizer, self.rate, self.homotopy]

        def train(self, batches):
            for x in batches:
                self.optimizer.zero_grad()
                loss = (self.network(x).squeeze(1) - x.prod(1)).square().mean()
                loss.backward()
                for part in (self.optimizer, self.rate):
                    part.step()
                self.homotopy.step(loss)

    whole, first, second, file = Run(), Run(), Run(), io.BytesIO()
    whole.train(batches)
    first.train(batches[:4])
    torch.save([part.state_dict() for part in first.parts], file)
    file.seek(0)
    for part, state in zip(second.parts, torch.load(file, weights_only=True), strict=True):
        part.load_state_dict(state)
    second.train(batches[4:])
    assert second.homotopy.state_dict() == whole.homotopy.state_dict()
    assert second.rate.get_last_lr() == whole.rate.get_last_lr()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(second.network.state_dict()[name], value)


COUNTS = {
    "schedule": [[stage.s, stage.steps] for stage in STAGES],
    "plateau": None,
    "stage": 2,
    "steps": 1,
    "lowest": 0.5,
    "waited": 0,
}
INVALID = "the state must be non-negative integers and lowest a number; they are "


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([1, 2], r"the state must be a dict; it is \[1, 2\]"),
        ({**COUNTS, "stage": "2"}, INVALID),
        ({**COUNTS, "stage": 1.5}, INVALID),
        ({**COUNTS, "steps": -1}, INVALID),
        ({**COUNTS, "waited": None}, INVALID),
        ({**COUNTS, "lowest": "low"}, INVALID),
        ({**COUNTS, "stage": 0}, r"stage of the state must be in \[1, 3\]; it is 0"),
        ({}, "the state must have lowest, plateau, schedule, stage, steps, waited"),
        ({**COUNTS, "stage": 9}, r"\[1, 3\]; it is 9"),
        ({**COUNTS, "lowest": float("nan")}, INVALID),
    ],
)
def test_a_state_of_another_scheduler_is_refused(state, message):
    scheduler = HomotopyScheduler(convert(model()), STAGES)
    before = scheduler.state_dict()
    with pytest.raises(ValueError, match=message):
        scheduler.load_state_dict(state)
    assert scheduler.state_dict() == before


def test_what_makes_no_sense_is_refused():
    with pytest.raises(
        ValueError, match="the model must contain a HomotopyActivation; it has none"
    ):
        HomotopyScheduler(model(), STAGES)
    with pytest.raises(ValueError, match="at least one stage"):
        HomotopyScheduler(convert(model()), [])
    with pytest.raises(
        ValueError,
        match=r"schedule must be an hrta.Schedule, several stages or a function s\(step\); it is S",
    ):
        HomotopyScheduler(convert(model()), Stage(1, 1))
    with pytest.raises(ValueError, match=r"plateau must be an hrta\.Plateau; it is 10"):
        HomotopyScheduler(convert(model()), STAGES, 10)
    with pytest.raises(ValueError, match="patience must be a positive integer; it is 0"):
        Plateau(0)
    with pytest.raises(ValueError, match=r"threshold must be in \[0, 1\); it is 1"):
        Plateau(1, 1.0)


def test_a_scheduler_follows_what_is_converted_and_restored_later():
    network = nn.Sequential(nn.ReLU(), nn.Tanh())
    with pytest.warns(UserWarning, match="left as they are"):
        convert(network)
    scheduler = HomotopyScheduler(network, [Stage(0.5, 1), Stage(1.5, 1), Stage(2, 1)])
    convert(network, nn.Tanh)
    scheduler.step()
    assert parameters_of(network) == [1.5, 1.5]
    hrta.restore(network[:1])
    network[0] = nn.ReLU()
    network[1] = nn.Tanh()
    with pytest.raises(ValueError, match="must contain a HomotopyActivation; it has none"):
        scheduler.step()


def test_a_plain_state_in_the_middle_of_a_schedule_is_said():
    network, plain = convert(model()), model()
    scheduler = HomotopyScheduler(network, [Stage(1.5, 9), Stage(2, 1)])
    with pytest.warns(UserWarning, match="has no s"):
        network.load_state_dict({"0.weight": plain[0].weight}, strict=False)
    with pytest.raises(ValueError, match=r"loaded with s = 1, where the schedule has s = 1\.5"):
        scheduler.step()
    scheduler.restart()
    assert parameters_of(network) == [1.5, 1.5]
    # A scheduler that is made after it begins as usual.
    with pytest.warns(UserWarning, match="has no s"):
        network.load_state_dict(plain.state_dict())
    HomotopyScheduler(network, [Stage(0.5, 9)]).step()
    assert parameters_of(network) == [0.5, 0.5]


def test_a_plateau_of_negative_losses():
    """A rising loss is no progress, and a falling one must fall by a part of its size."""
    scheduler = HomotopyScheduler(convert(model()), [Stage(1, 99), Stage(1.5, 1)], Plateau(3, 0.2))
    assert [scheduler.step(loss) for loss in (-10, -9, -11.9, -12.1, -13, -14, -14.5)] == [
        *([False] * 6),
        True,
    ]
