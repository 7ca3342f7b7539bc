"""An OpenAI-compatible server (vLLM and others) as a generator."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ibn.errors import InputError, MissingExtra
from ibn.prefix_tree.generator import Asked, Continuation, Request

Answer = TypeVar("Answer")

BYTES_A_TOKEN = 4  # for what the server does not count


class Server:
    """A completions endpoint: prompt and prefix go in as one text, and come back continued.

    Requests run side by side; a server that shares prefixes (vLLM's automatic prefix caching)
    reads the common part once. What times out or is refused for the moment is tried again with
    growing pauses, and if it stays so comes back as a continuation with a ``problem``. Only where
    nothing has ever answered at the address, it is an error at once.

    ``url`` is its base address, and ``model`` the model's name there. A prompt opens by
    ``template``, where ``{prompt}`` stands for it: a chat model's template goes here. The model
    reads ``context`` tokens, and ``stop`` are texts that end a response. ``parallel`` requests run
    at a time, each tried again up to ``retries`` times and given ``timeout`` seconds. ``client`` is
    a ready client of the package ``openai``; the key is otherwise read from ``OPENAI_API_KEY``.
    Raises MissingExtra if that package is missing.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        template: str = "{prompt}",
        context: int = 4096,
        parallel: int = 16,
        retries: int = 4,
        timeout: float = 60.0,
        stop: Sequence[str] = (),
        client: Any = None,
    ) -> None:
        self.model, self.template, self.context = model, template, context
        self.parallel, self.stop = parallel, list(stop) or None
        self.client = client or connect(url, retries=retries, timeout=timeout)
        self.answered = False

    def room(self, prompt: str) -> int:
        """Tokens that a response may have: an estimate, for the server counts its own way."""
        return self.context - self.count(self._opening(prompt))

    def count(self, text: str) -> int:
        """Estimate the tokens of a text from its length."""
        return -(-len(text.encode()) // BYTES_A_TOKEN)

    def extend(self, prompt: str, requests: Sequence[Request]) -> list[list[Continuation]]:
        """Continue responses to one prompt, see :class:`ibn.prefix_tree.generator.Generator`."""
        (drawn,) = self.extend_all([(prompt, requests)])
        return drawn

    def extend_all(self, asked: Sequence[Asked]) -> list[list[list[Continuation]]]:
        """Continue responses to several prompts, ``parallel`` requests at a time."""
        if not self.answered:  # a mistyped address would else fail prompt by prompt
            require_answer(self.client)
            self.answered = True
        flat = [(self._opening(prompt), one) for prompt, requests in asked for one in requests]
        with ThreadPoolExecutor(self.parallel) as pool:
            drawn = pool.map(lambda both: self._complete(*both), flat)
            return [[next(drawn) for _ in requests] for _, requests in asked]

    def _opening(self, prompt: str) -> str:
        return self.template.replace("{prompt}", prompt)

    def _complete(self, opening: str, request: Request) -> list[Continuation]:
        found: list[Continuation] = []
        while len(found) < request.count:  # some servers give one answer, however many are asked
            problem, more = self._ask(opening, request, len(found))
            if not more:
                problem = problem or "the server sent too few answers"
                lacking = request.count - len(found)
                return found + [Continuation("", 0, False, problem)] * lacking
            found += more
        return found

    def _ask(self, opening: str, request: Request, have: int) -> tuple[str, list[Continuation]]:
        """Ask for those that are lacking; what went wrong, and what came."""
        wanted = request.count - have

        def send() -> tuple[list[tuple[str, str]], int | None]:
            answer = self.client.completions.create(
                model=self.model,
                prompt=opening + request.prefix,
                n=wanted,
                max_tokens=request.tokens,
                temperature=request.temperature,
                seed=request.seed + have,
                stop=self.stop,
            )
            choices = [(_clean(one.text or ""), one.finish_reason) for one in answer.choices or []]
            used = answer.usage.completion_tokens if answer.usage else None
            return choices, used if isinstance(used, int) and used >= 0 else None

        found, problem = ask(send)
        if found is None:
            return problem, []
        choices, used = found
        whole = max(1, sum(len(text) for text, _ in choices))
        return "", [
            Continuation(
                text,
                min(
                    request.tokens,
                    self.count(text) if used is None else round(used * len(text) / whole),
                ),
                reason == "stop",
            )
            for text, reason in choices[:wanted]
        ]


def connect(url: str, *, retries: int = 4, timeout: float = 60.0) -> Any:
    """Make a client of an OpenAI-compatible server, which tries again by itself.

    Raises MissingExtra if the package openai is missing.
    """
    try:
        import openai
    except ImportError:
        raise MissingExtra("openai", "server", "a model on a server") from None
    key = os.environ.get("OPENAI_API_KEY", "none")  # local servers ask for none
    return openai.OpenAI(base_url=url, api_key=key, max_retries=retries, timeout=timeout)


def require_answer(client: Any) -> None:
    """Ask a server for its list of models; any answer will do.

    Raises InputError if nothing answers.
    """
    import openai

    try:
        client.with_options(max_retries=0).models.list()
    except openai.APITimeoutError:
        pass  # it may be loading
    except openai.APIConnectionError as error:
        raise InputError(
            f"no server answers at {client.base_url}: {_reason(error)}",
            fix="check the address, such as http://localhost:8000/v1, and that it runs",
        ) from None
    except (openai.OpenAIError, AttributeError, TypeError, ValueError):
        pass  # there is one, even if it lists no models


def ask(send: Callable[[], Answer]) -> tuple[Answer | None, str]:
    """Send a request, and return the answer, or None and what is wrong.

    Raises InputError for what no repetition would fix.
    """
    import openai

    try:
        return send(), ""
    except (openai.AuthenticationError, openai.NotFoundError) as error:
        raise InputError(
            f"the server refuses: {_reason(error)}",
            fix="check the model's name, the address and OPENAI_API_KEY",
        ) from None
    except openai.OpenAIError as error:
        return None, _reason(error)
    except (AttributeError, TypeError, ValueError):  # of a page that is no completion
        return None, "the server sent no completion"


def _clean(text: str) -> str:
    """Replace halves of surrogate pairs, which no file can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
