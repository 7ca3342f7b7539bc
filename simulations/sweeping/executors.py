"""Where tasks run: in this process, in processes beside it, on a Dask or a Ray cluster.

An executor is given a function and tasks; it starts them in the order given and yields what they
come to as they end. The layers below are joblib's for local processes, and the futures of Dask and
the pool of Ray. Joblib has backends for these too, but the one waits for ever where Dask gives a
task up, and the other hands nothing over before all have ended.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotInTime
from contextlib import closing, contextmanager
from functools import cache, partial
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ibn.errors import InputError, MissingExtra

Given = TypeVar("Given")
Result = TypeVar("Result")
Results = Generator[Result, None, None]
Executor = Callable[[Callable[[Given], Result], Sequence[Given]], Results[Result]]

CONNECT_SECONDS = 5.0
"""How long a cluster may take to answer."""
DASK_SCHEMES = ("tcp", "tls")
CHUNKS = 1000
"""What more tasks than this are cut into: a cluster takes some milliseconds to start one."""
RETRIES = 3
"""Workers that may die under a task before Ray gives it up, as Dask does by default."""


def in_process(run_one: Callable[[Given], Result], tasks: Sequence[Given]) -> Results[Result]:
    """Run tasks here, one after the other."""
    import scipy.linalg  # noqa: F401  # so that its BLAS is among those limited
    from threadpoolctl import threadpool_limits

    # One thread, as in a worker: how many take part may change the last bits of a product.
    with threadpool_limits(1):
        yield from map(run_one, tasks)


def processes(jobs: int) -> Executor:
    """Make an executor of processes on this machine.

    Joblib sends short tasks in batches, as long as they take some tenths of a second.
    """

    def execute(run_one: Callable[[Given], Result], tasks: Sequence[Given]) -> Results[Result]:
        from joblib import Parallel, delayed, parallel_config

        run_there = delayed(partial(_in_worker, os.getpid(), run_one))
        with parallel_config("loky", inner_max_num_threads=1):
            parallel = Parallel(jobs, return_as="generator_unordered")
            with _interrupts_ignored(), _hangups_waiting():  # and workers, started here, never hear
                outcomes = parallel(map(run_there, tasks))
            yield from outcomes

    return execute


def in_order(run_one: Callable[[Given], Result], tasks: Sequence[Given], jobs: int) -> list[Result]:
    """Run tasks in up to ``jobs`` processes; what they come to, in their order."""
    execute = in_process if min(jobs, len(tasks)) <= 1 else processes(jobs)
    with closing(execute(partial(_numbered, run_one), list(enumerate(tasks)))) as outcomes:
        return [found for _, found in sorted(outcomes, key=itemgetter(0))]


def _numbered(
    run_one: Callable[[Given], Result], numbered: tuple[int, Given]
) -> tuple[int, Result]:
    number, task = numbered
    return number, run_one(task)


def cluster(address: str) -> Executor:
    """Make an executor of all the workers of a cluster, on which the same ibn is installed.

    A worker that dies costs the time of what it ran, which is run again elsewhere.

    ``address``: ``tcp://HOST:PORT`` or ``tls://HOST:PORT`` of a Dask scheduler, or
    ``ray://HOST:PORT`` of a Ray head's client server.

    Raises InputError if the address is none; and when run, if nothing answers there within seconds,
    the extra is missing, or the cluster fails.
    """
    try:
        url = urlsplit(address)
        host, port = url.hostname, url.port
    except ValueError:
        host = port = None
    if not (host and port) or url.scheme not in (*DASK_SCHEMES, "ray"):
        raise InputError(
            f"cluster: no address of one: {address!r}",
            fix="give tcp://HOST:PORT of a Dask scheduler or ray://HOST:PORT of a Ray head",
        )
    execute = _on_ray if url.scheme == "ray" else _on_dask

    def attempt(run_one: Callable[[Given], Result], tasks: Sequence[Given]) -> Results[Result]:
        try:
            yield from execute(address, run_one, tasks)
        except InputError:
            raise
        except ImportError as error:
            raise InputError(
                f"cluster: a worker of {address} cannot run tasks: {error}",
                fix="install the same ibn where its workers run",
            ) from None
        except (Exception, CancelledError) as error:
            raise InputError(
                f"cluster: {address} failed: {type(error).__name__}: {_first_line(error)}",
                fix="the same command runs the rest",
            ) from None

    return attempt


def _on_dask(
    address: str, run_one: Callable[[Given], Result], tasks: Sequence[Given]
) -> Results[Result]:
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise MissingExtra("distributed", "dask", "a Dask cluster") from None

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what fails is raised
    _knock(address)
    connect = partial(Client, address, timeout=CONNECT_SECONDS, set_as_default=False)
    try:
        client = _in_time(connect, 2 * CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise _no_answer(address, error) from None
    with client:
        client.wait_for_workers(1, timeout=2 * CONNECT_SECONDS)
        submit = partial(client.submit, partial(_all_on_cluster, run_one), pure=False)
        chunks = _chunks(tasks)
        # Two a core, so that none waits for its next.
        first = islice(chunks, 2 * sum(client.nthreads().values()))
        running = as_completed(list(map(submit, first)), loop=client.loop)
        for ended in running:
            running.update(list(map(submit, islice(chunks, 1))))
            yield from ended.result()


def _on_ray(
    address: str, run_one: Callable[[Given], Result], tasks: Sequence[Given]
) -> Results[Result]:
    try:
        import ray
        from ray.util.multiprocessing import Pool
    except ImportError:
        raise MissingExtra("ray", "ray", "a Ray cluster") from None

    _knock(address)
    connect = partial(ray.init, address, logging_level=logging.ERROR, log_to_driver=False)
    try:
        try:
            connection = connect()
        except ConnectionAbortedError:  # a busy head starts its server for us too slowly at first
            connection = connect()
    except (ConnectionError, RuntimeError) as error:
        raise _no_answer(address, error) from None
    with connection:
        options = {"num_cpus": 1, "max_restarts": -1, "max_task_retries": RETRIES}
        with Pool(ray_remote_args=options) as pool:
            run_all = partial(_all_on_cluster, run_one)
            for outcomes in pool.imap_unordered(run_all, _chunks(tasks), chunksize=1):
                if isinstance(outcomes, Exception):  # a worker died time and again
                    raise outcomes
                yield from outcomes


def _chunks(tasks: Sequence[Given]) -> Iterator[Sequence[Given]]:
    """Cut many tasks into runs, each sent as one."""
    size = max(1, len(tasks) // CHUNKS)
    for start in range(0, len(tasks), size):
        yield tasks[start : start + size]


def _knock(address: str) -> None:
    """See whether anything listens: the clients of clusters take long to find out."""
    url = urlsplit(address)
    try:
        socket.create_connection((url.hostname or "", url.port or 0), CONNECT_SECONDS).close()
    except OSError as error:
        raise _no_answer(address, error) from None


def _in_time(connect: Callable[[], Any], seconds: float) -> Any:
    """Connect in a thread that can be left alone: some clients wait for ever for a first word."""
    done: Future[Any] = Future()

    def attempt() -> None:
        try:
            done.set_result(connect())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=attempt, daemon=True).start()
    try:
        return done.result(seconds)
    except NotInTime:  # on Python 3.10 not yet the built-in TimeoutError
        raise OSError("what listens there says nothing") from None


def _no_answer(address: str, error: Exception) -> InputError:
    return InputError(
        f"cluster: no cluster answers at {address}: {_first_line(error)}",
        fix="give the address that its scheduler or head printed when it was started",
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _in_worker(parent: int, run_one: Callable[[Given], Result], task: Given) -> Result:
    _serve(parent)
    return run_one(task)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore interrupts, and have what is started meanwhile ignore them for good."""
    if threading.current_thread() is not threading.main_thread():  # no other may
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _hangups_waiting() -> Iterator[None]:
    """Let hangups wait, and have what is started meanwhile never hear of them.

    A hangup of all processes would end joblib's keeper of resources, and the next one that it
    starts complains of those that it does not know.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@cache
def _serve(parent: int) -> None:
    """Leave interrupts to the process that started this one, and end with it, even if killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _all_on_cluster(run_one: Callable[[Given], Result], tasks: Sequence[Given]) -> list[Result]:
    _use_one_thread()
    return [run_one(task) for task in tasks]


@cache
def _use_one_thread() -> Any:
    """Give products one thread, as they have in all other executors."""
    import scipy.linalg  # noqa: F401  # so that its BLAS is among those limited
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)
