"""A server on loopback that does everything wrong a server can."""

import json
import socket
import threading
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from prefix_tree.generators import grow_alone

from ibn.errors import InputError
from ibn.prefix_tree.generator import Request
from ibn.prefix_tree.growth import Growth

pytest.importorskip("openai")

REQUEST = Request(" so far", 2, 8, 0.7, 1)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append(body)
            number = len(self.server.seen)
        status, answer = self.server.answer(number, body)
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Retry-After-Ms", "1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(BrokenPipeError):  # the client did not wait
            self.wfile.write(data)

    def log_message(self, *args):
        pass


def completion(texts, reason="length", used=None):
    choices = [
        {"index": i, "text": text, "finish_reason": reason, "logprobs": None}
        for i, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 1, "completion_tokens": used or 0, "total_tokens": 1}
    return {
        "id": "x",
        "object": "text_completion",
        "created": 0,
        "model": "m",
        "choices": choices,
        "usage": usage if used else None,
    }


@pytest.fixture
def serve():
    servers = []

    def start(answer, **options):
        from ibn.prefix_tree.server import Server, connect

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.answer, server.seen, server.lock = answer, [], threading.Lock()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        url = f"http://127.0.0.1:{server.server_port}/v1"
        client = connect(url, retries=options.pop("retries", 2), timeout=options.pop("timeout", 5))
        return Server(url, "m", client=client, **options), server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_prompt_and_prefix_go_in_as_one_text(serve):
    generator, server = serve(
        lambda number, body: (200, completion([" a b", " c d e f"], used=6)),
        template="<user>{prompt}<assistant>",
    )
    ((one, two),) = generator.extend("Hi {x}", [REQUEST])
    assert server.seen[0]["prompt"] == "<user>Hi {x}<assistant> so far"
    assert (server.seen[0]["n"], server.seen[0]["max_tokens"]) == (2, 8)
    assert (one.text, two.text) == (" a b", " c d e f")
    assert one.tokens + two.tokens == 6
    assert not one.finished


def test_a_server_that_fails_at_first_is_asked_again(serve):
    def answer(number, body):
        return (200, completion([" x", " y"], "stop")) if number > 2 else (503, {"error": "busy"})

    generator, server = serve(answer)
    ((one, two),) = generator.extend("Hi", [REQUEST])
    assert (one.text, two.text, one.finished) == (" x", " y", True)
    assert len(server.seen) == 3


def test_a_server_that_stays_down_is_recorded_as_a_problem(serve):
    generator, _ = serve(lambda number, body: (500, {"error": "no"}), retries=1)
    ((one, two),) = generator.extend("Hi", [REQUEST])
    assert one == two
    assert "500" in one.problem


def test_a_server_that_times_out_is_recorded_as_a_problem(serve):
    wait = threading.Event()
    generator, _ = serve(lambda number, body: (200, wait.wait(2) or {}), retries=0, timeout=0.2)
    ((one, _),) = generator.extend("Hi", [REQUEST])
    wait.set()
    assert "timed out" in one.problem


def test_too_few_answers_are_a_problem_of_those_that_lack(serve):
    def answer(number, body):
        return 200, completion([f" x{body['seed']}"] if number < 3 else [])

    generator, server = serve(answer)
    ((one, two, three),) = generator.extend("Hi", [replace(REQUEST, count=3)])
    assert [body["n"] for body in server.seen] == [3, 2, 1]
    assert (one.text, two.text) == (" x1", " x2")  # asked for one by one, with other seeds
    assert "too few" in three.problem


def test_halves_of_surrogate_pairs_are_replaced_and_tokens_kept_to_what_was_asked(serve):
    generator, _ = serve(lambda number, body: (200, completion([" \ud800x", " y" * 30], used=9)))
    ((one, two),) = generator.extend("Hi", [replace(REQUEST, tokens=5)])
    assert one.text == " \ufffdx"
    assert two.tokens == 5


@pytest.mark.parametrize("page", ["<html>hello</html>", [1], {"choices": ["x"]}, {"choices": 3}])
def test_a_page_that_is_no_completion_is_a_problem(serve, page):
    generator, _ = serve(lambda number, body: (200, page), retries=0)
    ((one, two),) = generator.extend("Hi", [REQUEST])
    assert one.problem
    assert two.problem


def test_an_address_where_nothing_answers_is_an_error_at_once():
    from ibn.prefix_tree.server import Server

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(InputError, match=r"no server answers at http://127\.0"):
        Server(url, "m").extend("Hi", [REQUEST])


@pytest.mark.parametrize("status", [401, 404])
def test_what_no_repetition_would_mend_is_one_clear_error(serve, status):
    generator, _ = serve(lambda number, body: (status, {"error": {"message": "no such model"}}))
    with pytest.raises(InputError, match="the server refuses"):
        generator.extend("Hi", [REQUEST])


def test_a_tree_grows_from_a_server_that_dies_half_way(serve):
    def answer(number, body):
        if number > 2:
            return 500, {"error": "out of memory"}
        return 200, completion([f" {number} {i} word." for i in range(body["n"])])

    generator, _ = serve(answer, retries=0, parallel=1)
    growth = Growth(depth=3, branching=2, tokens=30, attempts=2, alike=1.0)
    grown = grow_alone("Hi", generator, growth, np.random.default_rng(0))
    assert grown.dropped["failed"] > 0
    assert grown.problems
    assert grown.nodes  # what was had is kept
    assert grown.lacking
