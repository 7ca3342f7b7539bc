"""Training language models with TRL: reward models, and generators that follow them."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ibn.errors import MissingExtra
from ibn.prefix_tree.judging import RewardModelScore
from ibn.prefix_tree.local import load_model

if TYPE_CHECKING:
    from ibn.prefix_tree.local import LocalModel

Reward = Callable[[str, Sequence[str]], NDArray[np.float64]]
"""``reward(prompt, responses)``; more is better."""


@dataclass(frozen=True)
class Tuning:
    """How much to train."""

    # uppermost layers that are trained; the rest stays as it is. Without effect under LoRA
    layers: int = 8
    epochs: int = 3  # passes over the data
    rate: float = 1e-4  # learning rate, falling linearly to 0
    batch: int = 4  # responses, or pairs of them, a step
    # rank of low-rank adapters in all layers (Hu et al. 2022); 0 trains the layers themselves
    lora: int = 0


def require_training(tuning: Tuning) -> None:
    """Notice what is missing before anything has been done.

    Raises MissingExtra if TRL or what it needs is missing.
    """
    _trl()
    _adapters(tuning, "CAUSAL_LM")


def imitate(
    generator: LocalModel, chosen: Sequence[tuple[str, str]], tuning: Tuning, seed: int
) -> LocalModel:
    """Fine-tune a copy of a generator on responses: rejection sampling's second half.

    ``generator``: the base model; it stays as it is.
    ``chosen``: prompts and the responses to imitate; the loss is that of the responses alone.
    ``seed``: of the order.

    Raises MissingExtra if TRL or what it needs is missing.
    """
    model = _opened(generator.model, tuning)
    end = generator.tokenizer.eos_token or ""
    rows = [{"prompt": generator.opening(p), "completion": said + end} for p, said in chosen]
    settings = {"num_train_epochs": tuning.epochs, "max_length": None, "completion_only_loss": True}
    trained = _train("SFT", model, generator.tokenizer, rows, tuning, seed, settings)
    return _tuned(generator, trained)


def optimise(
    generator: LocalModel,  # the base model, which is also the reference
    prompts: Sequence[str],
    reward: Reward,
    tuning: Tuning,  # what to train and how fast
    seed: int,  # of the draws
    *,
    steps: int,
    group: int = 8,  # responses drawn to each prompt; their mean is the baseline
    tokens: int = 256,  # most tokens of a response
    anchor: float = 0.04,
) -> LocalModel:
    """Optimise a copy of a generator against a reward model, by group-relative policy gradients.

    ``anchor``: weight of the KL divergence from the reference: τ of the decoder KL-regularised RL.

    Raises MissingExtra if TRL or what it needs is missing.
    """
    model = _opened(generator.model, tuning)
    rows = [{"prompt": generator.opening(prompt), "asked": prompt} for prompt in prompts]

    def rewards(completions: Sequence[str], asked: Sequence[str], **_: Any) -> list[float]:
        return [float(reward(a, [said])[0]) for a, said in zip(asked, completions, strict=True)]

    whole_groups = replace(tuning, batch=group * max(1, tuning.batch // group))
    settings = {
        "max_steps": steps,
        "num_generations": group,
        "generation_batch_size": whole_groups.batch,
        "max_completion_length": tokens,
        "beta": anchor,
    }
    tokenizer = generator.tokenizer
    trained = _train(
        "GRPO", model, tokenizer, rows, whole_groups, seed, settings, reward_funcs=rewards
    )
    return _tuned(generator, trained)


def train_reward_model(
    name: str, pairs: Sequence[dict[str, str]], tuning: Tuning, seed: int
) -> RewardModelScore:
    """Train a language model with a head of one output on preferences.

    ``name``: a directory, a GGUF file or a name on the hub.
    ``pairs``: ``prompt``, ``chosen`` and ``rejected``, as TRL's preference format has them.
    ``seed``: of the head and the order.

    Raises MissingExtra if TRL or what it needs is missing; InputError if the model cannot be
    loaded.
    """
    torch, tokenizer, model = load_model(
        name, None, "AutoModelForSequenceClassification", num_labels=1
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model.score.reset_parameters()
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id or tokenizer.eos_token_id
    trained = _opened(model, tuning, copied=False)
    for parameter in trained.score.parameters():
        parameter.requires_grad = True
    settings = {"num_train_epochs": tuning.epochs, "max_length": None}
    rows: list[dict[str, Any]] = [dict(pair) for pair in pairs]
    if tokenizer.chat_template:  # as conversations, the form in which they will be scored
        rows = [{side: _turn(side, text) for side, text in pair.items()} for pair in pairs]
    trained = _train("Reward", trained, tokenizer, rows, tuning, seed, settings)
    return RewardModelScore.of(torch, tokenizer, trained)


def _turn(side: str, text: str) -> list[dict[str, str]]:
    return [{"role": "user" if side == "prompt" else "assistant", "content": text}]


def _trl() -> tuple[ModuleType, ModuleType]:
    try:
        import datasets
        import trl
    except ImportError:
        raise MissingExtra("trl", "train", "training language models") from None
    datasets.disable_progress_bars()  # of steps that take no time
    return trl, datasets


def _opened(model: Any, tuning: Tuning, *, copied: bool = True) -> Any:
    """Return a copy of which the uppermost layers can be trained."""
    model = copy.deepcopy(model) if copied else model
    if tuning.lora:
        return model
    for parameter in model.parameters():
        parameter.requires_grad = False
    for layer in model.model.layers[-tuning.layers :]:
        for parameter in layer.parameters():
            parameter.requires_grad = True
    return model


def _adapters(tuning: Tuning, task: str) -> Any:
    if not tuning.lora:
        return None
    try:
        import peft
    except ImportError:
        raise MissingExtra("peft", "train", "low-rank adapters") from None
    return peft.LoraConfig(
        r=tuning.lora, lora_alpha=2 * tuning.lora, target_modules="all-linear", task_type=task
    )


def _train(
    kind: str,  # of TRL's trainers: SFT, GRPO or Reward
    model: Any,
    tokenizer: Any,
    rows: list[dict[str, Any]],
    tuning: Tuning,
    seed: int,
    settings: dict[str, Any],
    **more: Any,
) -> Any:
    """Train with TRL, and return the model with its adapters merged in."""
    from transformers import PrinterCallback

    trl, datasets = _trl()
    config = getattr(trl, f"{kind}Config")
    names = {one.name for one in fields(config)}
    checkpointing = next(  # its newer name first
        n for n in ("activation_checkpointing", "gradient_checkpointing") if n in names
    )
    with tempfile.TemporaryDirectory() as scratch:
        trainer = getattr(trl, f"{kind}Trainer")(
            model=model,
            processing_class=tokenizer,
            train_dataset=datasets.Dataset.from_list(rows),
            args=config(
                output_dir=scratch,
                per_device_train_batch_size=tuning.batch,
                learning_rate=tuning.rate,
                seed=seed,
                use_cpu=model.device.type == "cpu",
                bf16=False,
                save_strategy="no",
                logging_strategy="no",
                report_to=[],
                disable_tqdm=True,
                **{checkpointing: False},
                **settings,
            ),
            peft_config=_adapters(tuning, "SEQ_CLS" if kind == "Reward" else "CAUSAL_LM"),
            **more,
        )
        trainer.remove_callback(PrinterCallback)  # standard output is the caller's
        trainer.train()
    model = trainer.model
    return (model.merge_and_unload() if hasattr(model, "merge_and_unload") else model).eval()


def _tuned(generator: LocalModel, model: Any) -> LocalModel:
    tuned = copy.copy(generator)
    tuned.model = model
    return tuned
