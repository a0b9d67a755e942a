"""The callback in Hugging Face's Trainer."""

import json

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForTokenClassification, Trainer, TrainingArguments

import hrta
from hrta import Stage
from hrta.integrations.transformers import HomotopyCallback

STAGES = [Stage(0.5, 3), Stage(1.0, 3), Stage(1.5, 3), Stage(1.25, 9)]


def path(step):
    return min(0.5 + step / 10, 1.5)


class Regression(nn.Module):
    """A model that notes s of every batch."""

    def __init__(self, s=1.0):
        super().__init__()
        torch.manual_seed(0)
        self.network = hrta.convert(
            nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 1)), s=s
        )
        self.seen = []

    def forward(self, x, labels):
        self.seen.append(float(self.network[1].s))
        return {"loss": nn.functional.mse_loss(self.network(x), labels)}


def points(number=32):
    torch.manual_seed(1)
    x = torch.randn(number, 2)
    return [{"x": each, "labels": each.prod(0, keepdim=True)} for each in x]


def trainer_of(folder, model, schedule, data=None, callback=None, **settings):
    """Four batches an epoch."""
    arguments = {"num_train_epochs": 4, "save_strategy": "no", "logging_steps": 1, **settings}
    return Trainer(
        model,
        TrainingArguments(
            output_dir=str(folder),
            per_device_train_batch_size=8,
            use_cpu=True,
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=False,
            **arguments,
        ),
        train_dataset=data or points(),
        eval_dataset=points(4),
        callbacks=[callback or HomotopyCallback(schedule)],
    )


@pytest.mark.parametrize("accumulated", [1, 2, 3])
@pytest.mark.parametrize("schedule", [STAGES, path])
def test_a_step_is_an_update(tmp_path, schedule, accumulated):
    model = Regression()
    trainer = trainer_of(tmp_path, model, schedule, gradient_accumulation_steps=accumulated)
    trainer.train()
    # What is left at the end of an epoch of four batches is an update, too.
    updates_before, made = [], 0
    for _ in range(4):
        for number in range(1, 5):
            updates_before.append(made)
            made += number % accumulated == 0 or number == 4
    assert made == trainer.state.global_step
    plan = [stage.s for stage in STAGES for _ in range(stage.steps)]
    expected = path if schedule is path else plan.__getitem__
    assert model.seen == [expected(step) for step in updates_before]


@pytest.mark.parametrize("restored", [True, False])
@pytest.mark.parametrize("accumulated", [1, 2])
@pytest.mark.parametrize("schedule", [STAGES, path])
def test_training_resumes_bit_by_bit(tmp_path, schedule, accumulated, restored):
    """From the middle of an epoch, with dropout, whether the Trainer restores callbacks or not."""
    settings = {
        "gradient_accumulation_steps": accumulated,
        "save_strategy": "steps",
        "save_steps": 5,
        "restore_callback_states_from_checkpoint": restored,
    }
    whole = Regression()
    trainer_of(tmp_path, whole, schedule, **settings).train()
    second = Regression()
    trainer = trainer_of(tmp_path, second, schedule, **settings)
    trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-5"))
    assert second.seen == whole.seen[5 * accumulated :]
    assert len(set(second.seen)) > 1
    for name, value in whole.state_dict().items():
        assert torch.equal(second.state_dict()[name], value), name


def test_a_checkpoint_has_the_state_of_the_scheduler(tmp_path):
    trainer_of(tmp_path, Regression(), STAGES, save_strategy="epoch", num_train_epochs=1).train()
    state = json.loads((tmp_path / "checkpoint-4" / "trainer_state.json").read_text())
    scheduler = hrta.HomotopyScheduler(Regression(), STAGES)
    for _ in range(4):
        scheduler.step()
    assert state["stateful_callbacks"]["hrta.HomotopyScheduler"] == scheduler.state_dict()


def test_s_is_logged_with_the_update_that_it_was_used_for(tmp_path, capsys):
    model = Regression()
    trainer = trainer_of(tmp_path, model, path, num_train_epochs=1)
    trainer.train()
    rows = [row for row in trainer.state.log_history if "loss" in row]
    assert [row["s"] for row in rows] == model.seen == [path(step) for step in range(4)]
    assert "'s': '0.6'" in capsys.readouterr().out


def test_each_training_begins_the_schedule(tmp_path):
    model, callback = Regression(), HomotopyCallback(path)
    model.load_state_dict(Regression(s=1.5).state_dict())
    for _ in range(2):
        trainer = trainer_of(tmp_path, model, path, callback=callback, num_train_epochs=1)
        trainer.train()
        trainer.train()
    assert model.seen == [path(step) for step in range(4)] * 4


def test_a_checkpoint_without_the_callback_begins_the_schedule_with_a_warning(tmp_path):
    settings = {"save_strategy": "epoch", "num_train_epochs": 2}
    plain = trainer_of(tmp_path, Regression(), STAGES, **settings)
    plain.remove_callback(HomotopyCallback)
    plain.train()
    model = Regression()
    trainer = trainer_of(tmp_path, model, STAGES, **settings)
    with pytest.warns(UserWarning, match="at step 4, without a state of this callback; .* s = 0.5"):
        trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    assert model.seen == [0.5] * 3 + [1.0]


def test_a_checkpoint_of_another_schedule_is_refused(tmp_path):
    settings = {"save_strategy": "epoch", "num_train_epochs": 2}
    trainer_of(tmp_path, Regression(), STAGES, **settings).train()
    trainer = trainer_of(tmp_path, Regression(), STAGES[:2], **settings)
    with pytest.raises(ValueError, match="another schedule: 4 stages there, 2 here"):
        trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))


def test_the_best_model_has_the_s_that_it_was_saved_with(tmp_path):
    class Growing(Regression):
        def forward(self, x, labels):
            loss = super().forward(x, labels)["loss"]
            return {"loss": loss if self.training else self.network[1].s + 0 * loss, "y": labels}

    model = Growing()
    trainer = trainer_of(
        tmp_path,
        model,
        path,
        num_train_epochs=2,
        save_strategy="steps",
        save_steps=2,
        eval_strategy="steps",
        eval_steps=2,
        load_best_model_at_end=True,
    )
    trainer.train()
    assert float(model.network[1].s) == path(2)


def test_a_model_of_the_library_is_trained(tmp_path):
    torch.manual_seed(0)
    sizes = {"vocab_size": 16, "hidden_size": 8, "intermediate_size": 16, "num_labels": 2}
    config = BertConfig(num_hidden_layers=2, num_attention_heads=2, hidden_act="relu", **sizes)
    model = hrta.convert(BertForTokenClassification(config))
    tokens = torch.randint(16, (32, 6))
    data = [{"input_ids": each, "labels": each % 2} for each in tokens]
    settings = {"save_strategy": "epoch", "num_train_epochs": 2}
    trainer_of(tmp_path, model, STAGES, data, **settings).train()
    resumed = hrta.convert(BertForTokenClassification(config))
    trainer = trainer_of(tmp_path, resumed, STAGES, data, **settings)
    trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    assert {float(each.s) for each in hrta.converted(resumed).values()} == {1.5}
    for name, value in model.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name


def test_a_model_without_homotopy_activations_is_refused(tmp_path):
    trainer = trainer_of(tmp_path, hrta.restore(Regression()), STAGES)
    with pytest.raises(ValueError, match="the model must contain a HomotopyActivation; it has no"):
        trainer.train()


def test_mistakes_are_found_before_training():
    with pytest.raises(ValueError, match="at least one stage"):
        HomotopyCallback([])
    with pytest.raises(ValueError, match=r"in \[0, 2\]; at step 0 it is 3"):
        HomotopyCallback(lambda step: 3)
