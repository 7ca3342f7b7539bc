"""``ibn validate``: chain against tree on a real task, with reward models that are trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ibn.cli.terminal import say, terminal
from ibn.errors import InputError, unknown_name
from ibn.outputs import keep_inputs, making, write_text
from ibn.simulations.cli.pool_run import decide, pool_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibn.simulations.validation.protocol import Profile
    from ibn.simulations.validation.repetition import Repetition
    from ibn.simulations.validation.tasks import LanguageTask

RESULT = "validation.json"


def _count(
    name: str, least: int, help_: str, shown: str | bool = True, most: int | None = None
) -> Any:
    """Make the option for a whole number, by default the least."""
    range_ = click.IntRange(least, most)
    return click.option(name, type=range_, default=least, show_default=shown, help=help_)


@click.command(name="validate")
@click.argument("task", metavar="[TASK]", default="")
@pool_options
@click.option("--profile", default="tiny", show_default=True, help="tiny, cpu or gpu.")
@click.option("--data", default="", metavar="FILE", help="The task's file.")
@click.option(
    "--model", default="", help="Directory, .gguf file or hub name; tiny makes a random one."
)
@_count("--seeds", 0, "Whole repetitions.", "the profile's", most=10_000)
@_count("--seed", 0, "Of the first repetition.")
@_count("--jobs", 1, "Repetitions side by side, each with a model.", most=1024)
@click.option(
    "--out", required=True, metavar="DIR", type=Path, help="Journals and results; resumed if there."
)
@click.option("--json", "as_json", is_flag=True, help="Print win rates and models as JSON.")
def command(
    task: str,
    profile: str,
    data: str,
    model: str,
    seeds: int,
    seed: int,
    jobs: int,
    out: Path,
    as_json: bool,
    pool: str | None,
    **options: Any,
) -> None:
    """Decide between topologies by reward models that are trained.

    With --pool on responses that are scored already, of which any topology can be had: lays
    comparisons over them, labels these at a set noise, fits reward models, and measures what they
    say of prompts that they were not trained on. Cells that are done are kept in DIR: after an
    interruption the same command goes on.

    With TASK, chain and tree data are grown by a model, reward models trained on them, and let
    choose. TASK is gsm8k (problems with their solutions), dialogsum (dialogues with a summary) or
    hh (human preference pairs). Both datasets are grown by the same model on the same prompts,
    labelled by the task's gold measure; a reward model is fitted to each on the model's own last
    hidden layer (the gpu profile trains the model itself with a head); and on prompts that
    neither has seen, the best of N responses by each, and a response of the model fine-tuned on
    what each chose, is held against the other's.

    Texts and finished repetitions are kept in DIR as they come: after an interruption the same
    command goes on.

    \b
    Examples:
      ibn validate --pool scored.jsonl --out decided
      ibn validate --pool judged.jsonl.gz --score win_probability --link logit --out decided
      ibn validate gsm8k --profile tiny --data problems.jsonl --out gsm8k
      ibn validate hh --profile cpu --model ./model --data pairs.jsonl --out hh
    """  # noqa: D301 - the escape is for click
    from dataclasses import replace

    from ibn.simulations.validation.document import document
    from ibn.simulations.validation.protocol import PROFILES
    from ibn.simulations.validation.tasks import read_task
    from ibn.simulations.validation.training import require_training
    from ibn.strict_json import dumps

    if bool(task) == (pool is not None):
        raise InputError("name a TASK or a --pool, one of the two")
    if pool is not None:
        decide(pool, out, seeds, jobs, as_json, options)
        return
    if not data:
        raise InputError("a TASK needs --data")
    if profile not in PROFILES:
        raise unknown_name("profile", profile, PROFILES)
    chosen = PROFILES[profile]
    if seeds:
        chosen = replace(chosen, seeds=seeds)
    if not model and profile != "tiny":
        raise InputError(f"--profile {profile} needs --model", fix="a directory or a hub name")
    read = read_task(task, data)
    require_training(chosen.tuning)
    keep_inputs(out / RESULT, (data, model))
    out.mkdir(parents=True, exist_ok=True)
    settings = {
        "task": task,
        "model": model or "tiny",
        "data": Path(data).name,
        "digest": _digest(Path(data)),
    }
    try:
        repetitions = _repeat_all(
            read, model or _tiny(out), chosen, range(seed, seed + chosen.seeds), jobs, out, settings
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted: what was grown is in {out}; the same command goes on"
        ) from None
    name = Path(model).name or "tiny"
    found = document(task, read.gold_is, profile, name, repetitions)
    write_text(out / RESULT, dumps(found, indent=1) + "\n")
    if as_json:
        print(dumps(found, indent=1))
    else:
        _tell(found)


def _repeat_all(
    task: LanguageTask,
    model: str,
    profile: Profile,
    seeds: Sequence[int],
    jobs: int,
    out: Path,
    settings: dict[str, Any],
) -> list[Repetition]:
    from dataclasses import asdict

    from ibn.cli.verbosity import level
    from ibn.prefix_tree.journal import Journal
    from ibn.prefix_tree.local import LocalModel
    from ibn.simulations.sweeping.executors import in_order
    from ibn.simulations.validation.hidden_states import HiddenStates
    from ibn.simulations.validation.protocol import repeat
    from ibn.simulations.validation.repetition import Repetition

    whole = {**settings, "gold": task.gold_is, "profile": asdict(profile)}
    del whole["profile"]["seeds"]  # there may be more another time

    told = level()  # each process has its own context

    def tell(message: str) -> None:
        if told != "quiet":
            say(message, err=True)

    def one(seeds: Sequence[int]) -> list[Repetition]:
        generator = LocalModel(model)
        embed = HiddenStates(generator)
        found = []
        for seed in seeds:  # what a repetition found is kept, and not sought again
            with Journal(out / f"repetition-{seed}.journal", {**whole, "seed": seed}) as book:
                if not book.entries:
                    fresh = repeat(
                        task, generator, embed, profile, out, seed, settings, model, tell
                    )
                    book.append(fresh.record())
                found.append(Repetition.of_record(book.entries[0]))
        return found

    if jobs == 1:
        return one(seeds)
    each = in_order(one, [[seed] for seed in seeds], jobs)
    return [repetition for found in each for repetition in found]


def _digest(data: Path) -> str:
    """Tell a file's or folder's content from others; what lies on a hub has its name alone."""
    import hashlib

    inside = sorted(data.rglob("*")) if data.is_dir() else [data]
    found = hashlib.sha256()
    for path in filter(Path.is_file, inside):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def _tiny(out: Path) -> str:
    from ibn.simulations.validation.tiny import make

    folder = out / "tiny-model"
    if not (folder / "config.json").exists():
        with making(folder) as fresh:
            make(fresh)
    return str(folder)


DECODERS = {
    "best-of-n": "best of {}",
    "rft": "fine-tuned (RFT)",
    "policy-optimisation": "policy optimised",
}


def _tell(found: dict[str, Any]) -> None:
    from rich import box
    from rich.table import Table

    table = Table(
        title=f"{found['task']}: win rates by {found['gold']}",
        caption=(
            f"{found['model']}, profile {found['profile']}, {found['seeds']} seeds; 95 % "
            "intervals: bootstrap over seeds and prompts. The paper reports "
            f"{found['paper_tree_against_chain']:.2f} for "
            "tree against chain (PPO, 7B models)."
        ),
        box=box.SIMPLE,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for name in ("who wins", "decoder", "at equal", "rate", "95 %", "ties", "asked"):
        table.add_column(name, no_wrap=True)
    for one in found["win_rates"]:
        table.add_row(
            f"{one['policy']} over {one['against']}",
            DECODERS[one["decoder"]].format(one["draws"]),
            one["budget"],
            f"{one['rate']:.3f}",
            f"{one['low']:.2f}–{one['high']:.2f}",
            f"{one['ties']:.0%}",
            str(one["prompts"]),
        )
    terminal().print(table)
