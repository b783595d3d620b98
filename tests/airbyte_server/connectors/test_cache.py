import importlib
import threading

import pytest
from airbyte_server.connectors.cache import AnswerCache
from airbyte_server.connectors.processes import PRELOADED
from airbyte_server.secrets.box import SecretBox, make_key


class Connector:
    """Counts how often it is asked."""

    def __init__(self):
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()

    def __call__(self):
        self.asked += 1
        number = self.asked
        self.answers.wait(10)
        return number


def test_an_answer_is_kept_and_a_fresh_one_replaces_it():
    cache, connector = AnswerCache(seconds=60), Connector()
    assert [cache.answer("a", connector) for _ in range(3)] == [1, 1, 1]
    assert cache.answer("b", connector) == 2
    assert cache.answer("a", connector, fresh=True) == 3
    assert cache.answer("a", connector) == 3
    assert cache.answer("c", connector, is_kept=lambda answer: False) == 4
    assert cache.answer("c", connector) == 5


def test_the_answers_used_last_stay():
    cache, connector = AnswerCache(seconds=60, most=2), Connector()
    for key in ("a", "b", "a", "c"):
        cache.answer(key, connector)
    assert connector.asked == 3
    cache.answer("a", connector)
    assert connector.asked == 3
    cache.answer("b", connector)
    assert connector.asked == 4


def test_nothing_is_kept_for_no_time():
    cache, connector = AnswerCache(seconds=0), Connector()
    assert [cache.answer("a", connector) for _ in range(2)] == [1, 2]


def test_an_error_is_not_kept():
    cache = AnswerCache(seconds=60)

    def fail():
        raise ConnectionError("no")

    for _ in range(2):
        with pytest.raises(ConnectionError):
            cache.answer("a", fail)
    assert cache.answer("a", lambda: 1) == 1


def test_who_asks_the_same_at_the_same_time_waits_for_one_answer():
    cache, connector, got = AnswerCache(seconds=60), Connector(), []
    connector.answers.clear()
    threads = [threading.Thread(target=lambda: got.append(cache.answer("a", connector))) for _ in range(5)]
    for thread in threads:
        thread.start()
    connector.answers.set()
    for thread in threads:
        thread.join(10)
    assert got == [1] * 5


def test_a_fingerprint_needs_the_key_and_knows_every_change():
    key = make_key()
    box = SecretBox(key)
    first = box.fingerprint({"a": 1, "b": ["secret"]})
    assert SecretBox(key).fingerprint({"b": ["secret"], "a": 1}) == first
    assert SecretBox(make_key()).fingerprint({"a": 1, "b": ["secret"]}) != first
    assert box.fingerprint({"a": 1, "b": ["Secret"]}) != first


@pytest.mark.parametrize("name", PRELOADED)
def test_what_the_fork_server_loads_is_there(name):
    assert importlib.import_module(name)
