"""Methods of a package for tests: one that answers, and the ways of failing."""

import os
import signal
import time
from pathlib import Path

import pandas as pd
from benchmarks.aggregation.peers import answers_table

from consilience.benchmark.runs import Prediction


def load(setting):
    def predict(responses, _seed):
        name, _, reported = setting.partition(":")
        if name == "counted":
            with Path(reported).open("a", encoding="utf-8") as file:
                file.write("run\n")
        return METHODS.get(name, votes)(responses)

    return predict


def votes(responses):
    answers = answers_table(responses)
    count = answers.groupby(["task", "label"]).size().rename("count").reset_index()
    share = count["count"] / count.groupby("task")["count"].transform("sum")
    table = pd.DataFrame(
        {"item": count["task"], "label": count["label"], "probability": share}
    )
    return Prediction(table, {"even": table.assign(probability=0.5)})


def without_gold(responses):
    if responses.gold is not None:
        raise AssertionError
    return votes(responses)


def sleep(_responses):
    time.sleep(600)


def fail(_responses):
    msg = "no  such\nluck"
    raise ValueError(msg)


def crash(_responses):
    print("last words", flush=True)  # noqa: T201
    os._exit(3)


def killed(_responses):
    os.kill(os.getpid(), signal.SIGKILL)


def greedy(_responses):
    held = bytearray(2**30)
    held[::4096] = b"1" * len(held[::4096])
    time.sleep(600)


def out_of_memory(_responses):
    raise MemoryError


def silent(responses):
    table = votes(responses).labels
    first = table["item"].unique()[0]
    return Prediction(table[table["item"] != first])


def negative(responses):
    return Prediction(votes(responses).labels.assign(probability=-1.0))


FAILING = (without_gold, sleep, fail, crash, killed, greedy, out_of_memory)
METHODS = {method.__name__: method for method in (*FAILING, silent, negative)}
