"""``ibn completion``: what a shell reads to complete verbs, options and names of files."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command(name="completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print what makes a shell complete verbs, options and names of files.

    \b
    Put one of these at the end of ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish:
      eval "$(ibn completion bash)"
      eval "$(ibn completion zsh)"
      ibn completion fish | source
    """  # noqa: D301 - the escape is for click
    from ibn.cli import main

    known = get_completion_class(shell)
    assert known is not None
    # Only its text: click's own source() asks bash for its version, which need not be on the path.
    made = known(main, {}, "ibn", "_IBN_COMPLETE")
    click.echo(made.source_template % made.source_vars())
