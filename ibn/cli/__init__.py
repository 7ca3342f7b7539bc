"""The ``ibn`` command: verbs loaded when they are called, errors in one line.

Exit status: 0 done, 1 the answer is "no", 2 bad usage or bad input, 130 interrupted.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from ibn import __version__
from ibn.cli import verbosity
from ibn.cli.terminal import say
from ibn.errors import InputError, unknown_name

# Each verb is the object ``command`` of a module beside what it runs, found by name. The summaries
# stand here so that help need not import the verbs and what they stand on.
VERBS = {
    "audit": ("ibn.cli.audit", "Report the uncertainty of a real preference dataset."),
    "plan": ("ibn.cli.plan", "Choose the comparisons to label next."),
    "replay": ("ibn.simulations.cli.replay", "Replay planned labels against random ones."),
    "rank": ("ibn.cli.rank", "Rank a few items by many battles, with simultaneous intervals."),
    "convert": ("ibn.cli.convert", "Write preferences of any shape in TRL's format."),
    "embed": ("ibn.cli.embed", "Embed responses by a language model."),
    "grow": ("ibn.cli.grow", "Grow a preference dataset from a text generator."),
    "check": ("ibn.proofs_check.cli", "Decide the claims of the theory, with the evidence."),
    "reproduce": ("ibn.figures.reproduce", "Run the main job: sweep, figures and report."),
    "sweep": ("ibn.simulations.cli.sweep", "Measure reward uncertainty over simulated worlds."),
    "merge": ("ibn.simulations.cli.merge", "Merge the stores of several machines' sweeps."),
    "figures": ("ibn.figures.cli", "Draw the figures from the results of a sweep."),
    "validate": (
        "ibn.simulations.cli.validate",
        "Decide between topologies by reward models that are trained.",
    ),
    "completion": ("ibn.cli.completion", "Print what makes a shell complete ibn's verbs."),
}
FILES = ("FILE", "PREFS", "PREFS …", "[PREFS …]", "[AFTER]", "BATTLES", "PROMPTS", "FILE…", "DIR")
MOST_SAID = 1000  # characters of a complaint, which may quote what it complains of


class Verbs(click.Group):
    """A group whose verbs are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the verbs, those for data before those for the theory."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a verb, and give it the options that all have."""
        if name not in VERBS:
            return None
        command: click.Command = import_module(VERBS[name][0]).command
        if not any(param.name == "quiet" for param in command.params):
            last = bool(command.params) and command.params[-1].name == "as_json"
            place = len(command.params) - last
            command.params[place:place] = verbosity.options()
        for param in command.params:
            if param.metavar in FILES and param.type is click.STRING:
                param.type = click.Path()  # so that a shell completes names of files
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb named on the command line, suggesting the nearest."""
        if args[0] not in VERBS:
            raise unknown_name("verb", args[0], VERBS)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the verbs without importing them."""
        verbs = [
            CompletionItem(name, help=summary)
            for name, (_, summary) in VERBS.items()
            if name.startswith(incomplete)
        ]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, summary) for name, (_, summary) in VERBS.items()])

    def main(  # type: ignore[override]  # always exits, so it has no standalone mode
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run the command line and exit; a verb returns its exit status, or None for 0."""
        try:
            end_on_signals()
            # Before numpy is loaded: how many threads share a product changes its last digits.
            os.environ["OPENBLAS_NUM_THREADS"] = "1"
            keep_memory()
            for stream in (sys.stdout, sys.stderr):
                if isinstance(stream, io.TextIOWrapper):  # a terminal may know fewer characters
                    stream.reconfigure(errors="backslashreplace")
            arguments = list(sys.argv[1:] if args is None else args)
            for word in arguments:
                require_passable(word)
            self._main_shell_completion({}, prog_name or "ibn")  # exits where a shell asks
            with self.make_context(prog_name or "ibn", arguments, **extra) as context:
                status = self.invoke(context)
            sys.stdout.flush()  # here, where a closed pipe can still be handled
        except click.exceptions.Exit as done:
            status = done.exit_code
        except click.UsageError as error:
            help_ = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
            status = _complain(error.format_message() + help_)
        except click.ClickException as error:
            status = _complain(error.format_message())
        except InputError as error:
            status = _complain(str(error))
        except BrokenPipeError:  # the reader left: leave as quietly as other filters do
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 128 + 13
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            status = _complain(f"{where}{error.strerror or error}")
        except KeyboardInterrupt as error:
            _complain(str(error) or "interrupted")
            status = 130
        sys.exit(status or 0)


def require_passable(word: str) -> None:
    """Raise InputError for what no system passes on: it could name no file and not be printed."""
    try:
        os.fsencode(word)
    except UnicodeEncodeError:
        raise InputError(f"{word!r} is no text that a command line can have") from None


def keep_memory() -> None:
    """Let worker processes keep the memory of arrays that they free, for the next ones.

    Else glibc gives it back and asks for it again with each array, a fault a page. These are the
    values that its own adjustment ends at.
    """
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(2**25))
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**26))


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP unwind the stack, so that nothing half-written is left behind."""

    def end(number: int, frame: object) -> NoReturn:
        sys.exit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if (
            number is not None
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(number) == signal.SIG_DFL  # nohup ignores SIGHUP: leave it
        ):
            signal.signal(number, end)
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = heed_again


def heed_again(dropped: sys.UnraisableHookArgs) -> None:
    """Let a signal arrive once more, where it came in a callback that drops what it raises."""
    number = 0
    if isinstance(dropped.exc_value, KeyboardInterrupt):
        number = signal.SIGINT
    elif isinstance(dropped.exc_value, SystemExit) and isinstance(dropped.exc_value.code, int):
        number = dropped.exc_value.code - 128
    if number > 0:
        threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
    else:
        sys.__unraisablehook__(dropped)


def _complain(problem: str) -> int:
    """Print a problem in one line on standard error; return the exit status for bad input."""
    problem = " ".join(problem.split())
    if len(problem) > MOST_SAID:
        problem = f"{problem[:MOST_SAID]} …"
    say(f"ibn: {problem}", err=True)
    return 2


@click.group(cls=Verbs, invoke_without_command=True, subcommand_metavar="VERB [ARGS]...")
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """How uncertain is a reward model, from the topology of its comparisons?

    The theory sees a preference dataset and the learner's inductive bias as one network, and
    measures how uncertain reward differences stay by the distances in it.

    \b
    Examples:
      ibn audit preferences.jsonl --out report.html
      ibn plan preferences.jsonl --budget 100 --out next.jsonl
      ibn rank battles.csv --out board.html
      ibn check
      ibn reproduce --profile quick --out out
      ibn sweep --topology chain,tree --n 1e3,1e4 --out sweep.csv

    Each verb explains itself: ibn VERB --help. Colours are left out where NO_COLOR is set.
    """  # noqa: D301 - the escape is for click
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
