"""``ibn grow``: a preference dataset from a text generator, tree-structured or as a chain."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from ibn.cli.inputs import check_out
from ibn.cli.terminal import say
from ibn.cli.verbosity import note, tasks
from ibn.errors import InputError, unknown_name
from ibn.outputs import check_file
from ibn.preferences.replacing import keep_labels
from ibn.strict_json import dumps

if TYPE_CHECKING:
    from ibn.prefix_tree.dataset import Dataset, DatasetPlan
    from ibn.prefix_tree.generator import Generator
    from ibn.prefix_tree.judging import Judge
    from ibn.prefix_tree.prompts import Prompt

OPENING, CONTEXT = "{prompt}", 4096
JUDGES = ("human", "gsm8k", "overlap", "model", "chat")


@click.command(name="grow", context_settings={"show_default": True})
@click.argument("prompts", metavar="PROMPTS")
@click.option(
    "--model",
    required=True,
    help="The generator: a directory, .gguf file or hub name; with --server, its name there.",
)
@click.option(
    "--server",
    default="",
    show_default=False,
    metavar="URL",
    help="Use a model on an OpenAI-compatible server, such as http://localhost:8000/v1.",
)
@click.option(
    "--opening",
    default=OPENING,
    metavar="TEXT",
    help="How the server's model is asked: its chat template goes here, with \\n for a line's end.",
)
@click.option(
    "--context",
    type=click.IntRange(1, 10**8),
    default=CONTEXT,
    help="How many tokens the server's model reads.",
)
@click.option("--stop", multiple=True, metavar="TEXT", help="A text that ends server responses.")
@click.option(
    "--topology",
    default="tree",
    help="tree (responses share beginnings) or chain (all are independent).",
)
@click.option(
    "--depth", type=click.IntRange(1, 64), default=3, help="How many levels the tree has."
)
@click.option(
    "--branching", type=click.IntRange(2, 1024), default=2, help="How many children a node has."
)
@click.option(
    "--tokens",
    type=click.IntRange(1, 10**6),
    default=256,
    help="How many tokens a response may have.",
)
@click.option(
    "--pairs",
    type=click.IntRange(0, 10**6),
    default=0,
    show_default="half as many as leaves",
    help="How many comparisons are made for a prompt.",
)
@click.option(
    "--separator",
    "separators",
    multiple=True,
    metavar="TEXT",
    help="End segments behind this text (\\n for a line's end); give several. By default sentence "
    "and line ends.",
)
@click.option("--temperature", default=0.8, help="Temperature of the first draw.")
@click.option(
    "--warmest",
    default=1.6,
    help="Highest temperature, to which it rises where siblings come out alike.",
)
@click.option(
    "--alike", default=0.9, help="Share of words in common from which siblings count as alike."
)
@click.option(
    "--unfinished",
    default="keep",
    help="What becomes of responses that the budget cut short: keep, drop or extend.",
)
@click.option(
    "--judge",
    default="human",
    help="Who labels: human (fill in later), gsm8k or overlap (against the prompts' reference), "
    "model:NAME (a reward model), chat:NAME (a model on --judge-server).",
)
@click.option(
    "--judge-server",
    default="",
    metavar="URL",
    show_default="that of --server",
    help="Where chat:NAME is served.",
)
@click.option("--ties", default="drop", help="What becomes of ties: drop, keep or random.")
@click.option(
    "--template",
    default="",
    show_default=False,
    help='Make prompts from records, such as "Q: {{ question }}".',
)
@click.option("--raw", is_flag=True, help="Do not use the tokenizer's chat template.")
@click.option(
    "--conversations",
    is_flag=True,
    help="Write messages instead of texts: TRL then applies the chat template.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=0,
    show_default="all",
    help="Use only so many prompts.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Seed of everything random.")
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    help="Write the dataset here: .jsonl, .json, .csv or .parquet, each also .gz.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document about the run.")
def command(**options: Any) -> None:
    """Grow a preference dataset from a text generator.

    For each prompt a prefix tree of responses is grown: every node extends its parent's text by a
    segment, so that responses share their beginnings, and pairs are drawn from the leaves. With
    --topology chain as many pairs are made of independent responses of the same budget.

    The dataset has TRL's columns prompt, chosen and rejected, and says in further ones where the
    two part, so that annotators need only read what differs. Everything is kept in FILE.journal at
    once: after any interruption the same command goes on.

    \b
    Examples:
      ibn grow prompts.jsonl --model ./model --depth 3 --branching 2 --judge gsm8k --out tree.jsonl
      ibn grow prompts.jsonl --model ./model --topology chain --judge gsm8k --out chain.jsonl
      ibn grow prompts.jsonl --model my-model --server http://localhost:8000/v1 --out pairs.jsonl
    """  # noqa: D301 - the escape is for click
    from ibn.prefix_tree.dataset import as_conversations, with_filled_in, write_dataset
    from ibn.prefix_tree.prompts import read_prompts

    _require_fitting(options)
    plan = _dataset_plan(options)
    out = options["out"]
    inputs = (options["prompts"], options["model"])
    check_out(out, *inputs)
    check_file(_journal(out), inputs)
    if not os.path.exists(_journal(out)):  # else it is this verb's own
        keep_labels(out)
    kind, _, name = options["judge"].partition(":")
    if kind not in JUDGES:
        raise unknown_name("judge", kind, JUDGES)
    prompts = read_prompts(options["prompts"], template=options["template"], most=options["limit"])
    generator = _generator(options)
    judge = _judge(kind, name, options)
    grown = _grow(prompts, generator, judge, plan, options)
    if judge is None:
        grown = with_filled_in(out, grown)
    if options["conversations"]:
        grown = as_conversations(grown)
    write_dataset(out, grown)
    document = {
        "out": out,
        "prompts": len(prompts),
        "responses": grown.responses,
        "unfinished": grown.unfinished,
        "comparisons": grown.comparisons,
        "written": len(grown.records),
        "tokens_generated": grown.tokens,
        "tokens_read": grown.read,
        "tokens_read_whole": grown.read_whole,
        "dropped": grown.dropped,
        "problems": grown.problems,
        "incomplete": grown.incomplete,
    }
    if options["as_json"]:
        print(dumps(document))
        return
    _print_counts(document, labelled=judge is not None)


def _dataset_plan(options: dict[str, Any]) -> DatasetPlan:
    """Say what to grow."""
    from ibn.prefix_tree.dataset import DatasetPlan
    from ibn.prefix_tree.growth import SENTENCE_ENDS, Growth

    separators = tuple(s.replace("\\n", "\n") for s in options["separators"]) or SENTENCE_ENDS
    names = ("depth", "branching", "tokens", "temperature", "warmest", "alike", "unfinished")
    growth = Growth(separators=separators, **{name: options[name] for name in names})
    pairs = options["pairs"] or max(1, growth.branching**growth.depth // 2)
    return DatasetPlan(options["topology"], growth, pairs, options["ties"], options["seed"])


def _grow(
    prompts: list[Prompt],
    generator: Generator,
    judge: Judge | None,
    plan: DatasetPlan,
    options: dict[str, Any],
) -> Dataset:
    """Grow, say how far it is, and name the file where a prompt's record is wrong."""
    from ibn.prefix_tree.dataset import grow_dataset

    determining = ["model", "server", "raw", "judge", "template"]
    if options["server"]:
        determining += ["opening", "context", "stop"]
    journal = _journal(options["out"])
    try:
        with tasks("prompts") as display:
            return grow_dataset(
                prompts,
                generator,
                judge,
                plan,
                journal,
                settings={name: options[name] for name in determining},
                progress=lambda done, total: display(done, total, done / total),
            )
    except InputError as error:
        if error.line is None or error.file is not None:
            raise
        place = {"file": options["prompts"], "line": error.line, "fix": error.fix}
        raise InputError(error.problem, **place) from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted: what was grown is in {journal}; the same command goes on"
        ) from None


def _journal(out: str) -> str:
    """Name the file that holds what was grown so far."""
    return f"{out}.journal"


def _require_fitting(options: dict[str, Any]) -> None:
    """Refuse what would be ignored."""
    labelled = options["judge"] != "human" and options["ties"] != "keep"
    if options["conversations"] and not labelled:
        raise InputError(
            "--conversations are of chosen and rejected", fix="give a judge, and no --ties keep"
        )
    for name, default in (("opening", OPENING), ("context", CONTEXT), ("stop", ())):
        if not options["server"] and options[name] != default:
            raise InputError(f"--{name} is of --server, and a local model has its own")
    if options["server"] and options["raw"]:
        raise InputError("--raw is of a local model", fix="--opening says how a server is asked")


def _generator(options: dict[str, Any]) -> Generator:
    if options["server"]:
        from ibn.prefix_tree.server import Server

        opening = options["opening"].replace("\\n", "\n")
        if "{prompt}" not in opening:
            raise InputError("--opening has no {prompt}", fix="write {prompt} where it goes")
        return Server(
            options["server"],
            options["model"],
            template=opening,
            context=options["context"],
            stop=[text.replace("\\n", "\n") for text in options["stop"]],
        )
    from ibn.prefix_tree.local import LocalModel

    return LocalModel(options["model"], chat=False if options["raw"] else None)


def _judge(kind: str, name: str, options: dict[str, Any]) -> Judge | None:
    from ibn.prefix_tree import judging

    if kind == "human":
        return None
    if kind == "gsm8k":
        return judging.ByScore(judging.verify_arithmetic)
    if kind == "overlap":
        judging.rouge()  # a missing package is noticed before anything is grown
        return judging.ByScore(judging.overlap)
    if not name:
        raise InputError(f"--judge {kind} needs a name", fix=f"such as {kind}:NAME")
    if kind == "model":
        return judging.ByScore(judging.RewardModelScore(name))
    url = options["judge_server"] or options["server"]
    if not url:
        raise InputError("--judge chat needs --judge-server")
    return judging.ChatJudge(url, name)


def _print_counts(counts: dict[str, Any], *, labelled: bool) -> None:
    say(
        f"{counts['written']} comparisons in {counts['out']}, from {counts['responses']} responses "
        f"({counts['unfinished']} unfinished) to {counts['prompts']} prompts; "
        f"{counts['tokens_generated']} tokens generated."
    )
    pairs = max(1, counts["comparisons"])
    say(
        f"An annotator reads {counts['tokens_read'] / pairs:.1f} tokens a comparison where the "
        f"shared prefix is left out, {counts['tokens_read_whole'] / pairs:.1f} where not."
    )
    for what in ("dropped", "problems"):
        if counts[what]:
            items = ", ".join(f"{count} × {why}" for why, count in counts[what].items())
            say(f"{what.capitalize()}: {items}.")
    if counts["incomplete"]:
        say(
            f"{counts['incomplete']} prompts lack responses or judgements by these: the same "
            "command goes on there.",
            err=True,
        )
    if not labelled:
        note("The pairs are not labelled: add a column winner (a, b or tie) to use them.")
