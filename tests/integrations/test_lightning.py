"""The callback under both packages of Lightning, each with its real Trainer."""

from importlib import import_module

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import hrta
from hrta import Plateau, Stage

pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers"),
    pytest.mark.filterwarnings("ignore:The 'val_dataloader' does not have many workers"),
    pytest.mark.filterwarnings("ignore:You defined a `validation_step` but have no"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning"),
]
STAGES = [Stage(0.5, 3), Stage(1.0, 3), Stage(1.5, 3), Stage(1.25, 9)]


def path(step):
    return min(0.5 + step / 10, 1.5)


@pytest.fixture(params=["lightning", "pytorch_lightning"])
def package(request):
    """The package, and the callback for it."""
    name = {"lightning": "lightning.pytorch"}.get(request.param, request.param)
    callback = import_module(f"hrta.integrations.{request.param}").HomotopyCallback
    return import_module(name), callback


def regression(package, optimizers=1, manual=False, s=1.0):
    """A model that notes s of every batch."""

    class Regression(package[0].LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            layers = [nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)]
            self.network = hrta.convert(nn.Sequential(*layers), s=s)
            self.automatic_optimization = not manual
            self.seen, self.validated = [], []

        def loss(self, batch):
            return nn.functional.mse_loss(self.network(batch[0]), batch[1])

        def training_step(self, batch, number):
            self.seen.append(float(self.network[1].s))
            loss = self.loss(batch)
            if manual and number % 2:
                for optimizer in self.optimizers():
                    optimizer.zero_grad()
                self.manual_backward(loss)
                for optimizer in self.optimizers():
                    optimizer.step()
            return None if manual else loss

        def validation_step(self, batch, number):
            self.validated.append(float(self.network[1].s))

        def configure_optimizers(self):
            adam = [torch.optim.Adam(layer.parameters(), 0.01) for layer in self.network[::2]]
            return adam if optimizers == 2 else torch.optim.Adam(self.parameters(), 0.01)

    return Regression()


def batches(number=4):
    torch.manual_seed(1)
    x = torch.randn(8 * number, 2)
    return DataLoader(TensorDataset(x, x.prod(1, keepdim=True)), batch_size=8)


def trainer_of(package, callbacks, epochs, **settings):
    settings = {"logger": False, "enable_checkpointing": False, **settings}
    return package[0].Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )


@pytest.mark.parametrize("accumulated", [1, 2, 3])
@pytest.mark.parametrize("schedule", [STAGES, path])
def test_a_step_is_an_update(package, schedule, accumulated):
    module, callback = regression(package), package[1](schedule)
    trainer = trainer_of(package, [callback], 3, accumulate_grad_batches=accumulated)
    trainer.fit(module, batches())
    # An epoch has four batches; what is left at its end is an update, too.
    updates_before, made = [], 0
    for _ in range(3):
        for number in range(1, 5):
            updates_before.append(made)
            made += number % accumulated == 0 or number == 4
    assert made == trainer.global_step
    if schedule is path:
        assert module.seen == [path(step) for step in updates_before]
    else:
        plan = [stage.s for stage in STAGES for _ in range(stage.steps)]
        assert module.seen == [plan[step] for step in updates_before]


@pytest.mark.parametrize("schedule", [STAGES, path])
@pytest.mark.parametrize("plateau", [None, Plateau(2, 0.05)])
@pytest.mark.parametrize("accumulated", [1, 2])
def test_training_resumes_bit_by_bit(package, tmp_path, schedule, plateau, accumulated):
    if schedule is path and plateau:
        return

    def run(epochs, checkpoint=None):
        module = regression(package)
        callbacks = [package[1](schedule, plateau)]
        trainer = trainer_of(package, callbacks, epochs, accumulate_grad_batches=accumulated)
        trainer.fit(module, batches(), ckpt_path=checkpoint)
        return module, trainer

    whole, _ = run(4)
    first, trainer = run(2)
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    second, _ = run(4, tmp_path / "half.ckpt")
    assert first.seen + second.seen == whole.seen
    assert len(set(second.seen)) > 1
    for name, value in whole.state_dict().items():
        assert torch.equal(second.state_dict()[name], value), name


def test_a_checkpoint_within_an_epoch_has_the_state_after_its_update(package, tmp_path):
    checkpoint = package[0].callbacks.ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=3)
    callbacks = [checkpoint, package[1](STAGES)]
    trainer = trainer_of(package, callbacks, 1, enable_checkpointing=True)
    trainer.fit(regression(package), batches())
    saved = torch.load(tmp_path / "step=3.ckpt", weights_only=True)
    scheduler = hrta.HomotopyScheduler(hrta.HomotopyActivation(), STAGES)
    for _ in range(3):
        scheduler.step()
    assert saved["callbacks"]["HomotopyCallback"] == scheduler.state_dict()
    assert saved["state_dict"]["network.1.s"] == 1.0


def test_a_plateau_takes_the_mean_loss_of_an_update(package):
    """Losses 4, 2, 3, 3, … of updates, the means of two batches each."""
    module = regression(package)
    losses = iter([3.0, 5.0, 1.0, 3.0, *[2.0, 4.0] * 20])
    module.loss = lambda batch: nn.functional.mse_loss(
        0 * module.network(batch[0]), 0 * batch[1] + next(losses) ** 0.5
    )
    callback = package[1]([Stage(1.0, 50), Stage(1.5, 50)], Plateau(2, 0.1))
    trainer = trainer_of(package, [callback], 1, accumulate_grad_batches=2)
    trainer.fit(module, batches(12))
    assert module.seen == [1.0] * 8 + [1.5] * 4
    assert callback.scheduler.state_dict()["lowest"] == pytest.approx(3.0)


def test_batches_of_several_optimizers_are_one_step(package):
    module = regression(package, optimizers=2, manual=True)
    trainer = trainer_of(package, [package[1](path)], 2)
    trainer.fit(module, batches())
    assert trainer.global_step == 8  # two optimizers in every second of eight batches
    assert module.seen == [path(step // 2) for step in range(8)]


def test_a_plateau_without_a_loss_is_refused(package):
    module = regression(package, optimizers=2, manual=True)
    trainer = trainer_of(package, [package[1](STAGES, Plateau())], 1)
    with pytest.raises(ValueError, match="HomotopyCallback: with a plateau rule, training_step "):
        trainer.fit(module, batches())


def test_s_is_logged_with_the_update_that_it_was_used_for(package, tmp_path):
    logger = package[0].loggers.CSVLogger(tmp_path, name="", version="")
    module, callback = regression(package), package[1](path)
    trainer_of(package, [callback], 1, logger=logger, log_every_n_steps=1).fit(module, batches())
    lines = (tmp_path / "metrics.csv").read_text().splitlines()
    column = lines[0].split(",").index("s")
    assert [float(line.split(",")[column]) for line in lines[1:]] == pytest.approx(module.seen)


def test_a_further_fit_continues_and_a_new_trainer_begins_again(package):
    module, callback = regression(package), package[1](path)
    trainer = trainer_of(package, [callback], 1)
    trainer.fit(module, batches())
    trainer.fit_loop.max_epochs = 2
    trainer.fit(module, batches())
    assert module.seen == [path(step) for step in range(8)]
    trainer_of(package, [callback], 1).fit(module, batches())
    assert module.seen[8:] == [path(step) for step in range(4)]


def test_validation_before_training_has_the_first_s_or_that_of_the_checkpoint(package, tmp_path):
    module, trainer = regression(package), trainer_of(package, [package[1](STAGES)], 1)
    trainer.fit(module, batches(), batches(1))
    assert module.validated == [0.5, 1.0]
    trainer.save_checkpoint(tmp_path / "all.ckpt")
    other = regression(package)
    trainer = trainer_of(package, [package[1](path)], 1)
    trainer.validate(other, batches(1), ckpt_path=tmp_path / "all.ckpt", verbose=False)
    assert other.validated == [1.0]


def test_weights_of_another_training_begin_the_schedule(package):
    module = regression(package)
    module.load_state_dict(regression(package, s=1.5).state_dict())
    trainer_of(package, [package[1](STAGES)], 1).fit(module, batches())
    assert module.seen == [0.5] * 3 + [1.0]


def test_a_checkpoint_without_the_callback_begins_the_schedule_with_a_warning(package, tmp_path):
    trainer = trainer_of(package, [], 1)
    trainer.fit(regression(package), batches())
    trainer.save_checkpoint(tmp_path / "plain.ckpt")
    module = regression(package)
    trainer = trainer_of(package, [package[1](STAGES)], 2)
    with pytest.warns(UserWarning, match="at step 4, without a state of this callback; .* s = 0.5"):
        trainer.fit(module, batches(), ckpt_path=tmp_path / "plain.ckpt")
    assert module.seen == [0.5] * 3 + [1.0]


def test_a_checkpoint_of_another_schedule_is_refused(package, tmp_path):
    trainer = trainer_of(package, [package[1](STAGES)], 1)
    trainer.fit(regression(package), batches())
    trainer.save_checkpoint(tmp_path / "other.ckpt")
    trainer = trainer_of(package, [package[1](path)], 2)
    with pytest.raises(ValueError, match=r"another schedule: stages there, a function s\(step\) h"):
        trainer.fit(regression(package), batches(), ckpt_path=tmp_path / "other.ckpt")


def test_a_search_for_a_learning_rate_leaves_the_schedule_at_its_beginning(package, tmp_path):
    module, callback = regression(package), package[1](STAGES)
    search = package[0].callbacks.LearningRateFinder(
        num_training_steps=5, update_attr=False, early_stop_threshold=None
    )
    trainer = trainer_of(package, [callback, search], 1, default_root_dir=tmp_path)
    trainer.fit(module, batches())
    assert module.seen[-4:] == [0.5] * 3 + [1.0]


def test_a_model_without_homotopy_activations_is_refused(package):
    module = regression(package)
    hrta.restore(module)
    with pytest.raises(ValueError, match="the model must contain a HomotopyActivation; it has no"):
        trainer_of(package, [package[1](STAGES)], 1).fit(module, batches())


def test_mistakes_are_found_before_training(package):
    with pytest.raises(ValueError, match="the scheduler is made when training begins"):
        _ = package[1](STAGES).scheduler
    with pytest.raises(ValueError, match="at least one stage"):
        package[1]([])
    with pytest.raises(ValueError, match=r"with a function s\(step\) it must be None"):
        package[1](path, Plateau())
    with pytest.raises(ValueError, match=r"in \[0, 2\]; at step 0 it is 3"):
        package[1](lambda step: 3)
    with pytest.raises(ValueError, match=r"schedule must be an hrta\.Schedule, several stages or"):
        package[1](Stage(1, 1))
