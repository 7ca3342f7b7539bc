"""Rejection-sampling fine-tuning: the generator learns to say what a reward model chose."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from ibn.errors import MissingExtra

if TYPE_CHECKING:
    from ibn.prefix_tree.local import LocalModel


@dataclass(frozen=True)
class Tuning:
    """How much to train.

    Attributes
    ----------
    layers : int
        Uppermost layers that are trained; the rest stays as it is.
    epochs : int
        Passes over the chosen responses.
    rate : float
        Learning rate, falling linearly to 0.
    batch : int
        Responses a step.
    """

    layers: int = 8
    epochs: int = 3
    rate: float = 1e-4
    batch: int = 4


def imitate(
    generator: LocalModel, chosen: Sequence[tuple[str, str]], tuning: Tuning, seed: int
) -> LocalModel:
    """Fine-tune a copy of a generator on responses, by TRL's ``SFTTrainer``.

    Parameters
    ----------
    generator : LocalModel
        The base model; it stays as it is.
    chosen : sequence of (str, str)
        Prompts and the responses to imitate; the loss is that of the responses alone.
    tuning : Tuning
        How much to train.
    seed : int
        Of the order.

    Raises
    ------
    MissingExtra
        If TRL or its datasets are missing.
    """
    try:
        import datasets
        import trl
        from transformers import PrinterCallback
    except ImportError:
        raise MissingExtra("trl", "train", "fine-tuning") from None
    model = copy.deepcopy(generator.model)
    for parameter in model.parameters():
        parameter.requires_grad = False
    for layer in model.model.layers[-tuning.layers :]:
        for parameter in layer.parameters():
            parameter.requires_grad = True
    end = generator.tokenizer.eos_token or ""
    rows = [{"prompt": generator.opening(p), "completion": said + end} for p, said in chosen]
    on_cpu = model.device.type == "cpu"
    names = {one.name for one in fields(trl.SFTConfig)}
    checkpointing = next(  # its newer name first
        n for n in ("activation_checkpointing", "gradient_checkpointing") if n in names
    )
    with tempfile.TemporaryDirectory() as scratch:
        trainer = trl.SFTTrainer(
            model=model,
            processing_class=generator.tokenizer,
            train_dataset=datasets.Dataset.from_list(rows),
            args=trl.SFTConfig(
                output_dir=scratch,
                num_train_epochs=tuning.epochs,
                per_device_train_batch_size=tuning.batch,
                learning_rate=tuning.rate,
                seed=seed,
                use_cpu=on_cpu,
                bf16=False,
                max_length=None,
                completion_only_loss=True,
                save_strategy="no",
                logging_strategy="no",
                report_to=[],
                disable_tqdm=True,
                **{checkpointing: False},
            ),
        )
        trainer.remove_callback(PrinterCallback)  # standard output is the caller's
        trainer.train()
    tuned = copy.copy(generator)
    tuned.model = model.eval()
    return tuned
