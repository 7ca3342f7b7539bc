"""A server of completions that says odd things, in a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import random
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hostile_files import TEXTS


class Odd(BaseHTTPRequestHandler):
    """Answers by the model's name: good, odd (any text), few (too few choices), error."""

    def do_POST(self) -> None:
        """Answer a request for completions."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rng = random.Random(json.dumps(asked, sort_keys=True))
        kind = asked.get("model", "")
        if kind == "error" and rng.random() < 0.7:
            self._send(
                rng.choice([500, 429, 404, 200]), rng.choice([b"", b"<html>", b"[]", b"null"])
            )
            return
        count = asked.get("n", 1) if kind != "few" else rng.randrange(2)
        choices: list[dict[str, Any]] = []
        for _ in range(min(count, 64)):
            text = rng.choice(TEXTS) if kind == "odd" else " " + rng.choice("abcdefg") + " word."
            finish = rng.choice(
                ["stop", "length", None, 3] if kind == "odd" else ["stop", "length"]
            )
            choices.append({"text": text, "message": {"content": text}, "finish_reason": finish})
        usage = {"completion_tokens": rng.choice([3, -1, "x", None] if kind == "odd" else [3])}
        self._send(200, json.dumps({"choices": choices, "usage": usage}).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


def _serve(told: Any) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    told.send(server.server_port)
    server.serve_forever()


@contextmanager
def serving() -> Iterator[str]:
    """Serve, and give the address."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/v1"
    finally:
        process.terminate()
        process.join()
