"""Names on a hub of models or data sets, told from paths before a library is asked."""

from __future__ import annotations

import os
import re

from ibn.errors import InputError

NAME = re.compile(r"([\w-][\w.-]*/)?[\w-][\w.-]*", re.ASCII)


def check_model_name(name: str) -> None:
    """Refuse what is neither a path that is there nor a name that a hub can have.

    Raises InputError. What would fail later is refused here, where its name reaches no log.
    """
    try:
        there = os.path.exists(name)
    except ValueError:  # a null byte
        there = False
    if not there and (len(name) > 200 or not NAME.fullmatch(name)):
        raise InputError(
            f"no model {name!r}", fix="give the folder of a saved model, or a name on its hub"
        )
