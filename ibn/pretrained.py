"""Models of Hugging Face, loaded without running what is in them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from ibn.errors import InputError
from ibn.hub_name import check_model_name

FIX = "give the folder of a saved model, a .gguf file, or a name on the hub"


def load_pretrained(load: Callable[..., Any], where: str, name: str, **options: Any) -> Any:
    """Load a model or its tokenizer.

    Code that comes with a model is never run, nor asked about; of pickled weights only tensors are
    taken, and a pickle that holds anything else is refused.

    Parameters
    ----------
    load : callable
        A ``from_pretrained`` of ``transformers``, or what else makes a model of its name.
    where : str
        A folder, or a name on the hub.
    name : str
        What it is called in errors.
    **options
        Further arguments of ``load``.

    Raises
    ------
    InputError
        If it cannot be loaded, or only by running what is in it.
    """
    check_model_name(name)
    try:
        return load(where, trust_remote_code=False, **options)
    except pickle.UnpicklingError:
        raise InputError(
            f"the model {name} cannot be loaded: its weights are a pickle of more than weights, "
            "which could run anything",
            fix="save it as safetensors",
        ) from None
    except Exception as error:  # files of strangers raise whatever they like
        lines = str(error).strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise InputError(f"the model {name} cannot be loaded: {reason}", fix=FIX) from None
