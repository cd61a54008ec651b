"""A cluster by simulation: 64 trainers, three replicas behind nginx, and one replica that is killed.

cluster.py [--seconds N] [--sizing FILE]. First each kind of answer is asked for alone, as fast as it
comes: what it costs. Then all trainers ask for so many seconds, each once a step, at steps that use a
part of what the cores can do; meanwhile a replica is killed and started again, and another replaced. At the end a
daemon of its own is asked for the same. `--sizing` writes the table of deploy/README.md there.

All processes share this machine's cores. So it is processor time an answer that can be carried over
to other machines; answers a second and latencies hold for this one.
"""

import argparse
import os
import pathlib
import sys
import threading
import time
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "bench")]

import jobs  # noqa: E402
import page  # noqa: E402
import report  # noqa: E402
import sizing  # noqa: E402
import tiles  # noqa: E402
from replicated import REPLICAS, Cluster  # noqa: E402
from trainers import Trainer, answers_of, train  # noqa: E402

ALONE = 1 / 12     # of the seconds together, for each kind of answer before them
LOAD = 0.6         # of what the machine does, that trainers together ask for
WARM = 3           # answers of each kind from each replica, before anything is measured
EVENTS = ((1 / 4, "kill", 0), (3 / 8, "restart", 0), (5 / 8, "replace", 1))


class Sizes(NamedTuple):
    """How much is asked for; smaller in a test."""

    side: int = 224
    plans: tuple = (64, 256)
    rows: int = 256
    write_pictures: object = lambda folder: tiles.write(folder, 10)


class Alone(NamedTuple):
    """What a kind of answer costs: processor seconds of one, by process."""

    kind: jobs.Kind
    answers: int
    seconds: float
    size: float
    replicas: float
    nginx: float
    trainers: float

    @property
    def rate(self):
        """Answers a second."""
        return self.answers / self.seconds

    @property
    def all(self):
        """Processor seconds of all processes."""
        return self.replicas + self.nginx + self.trainers


class Together(NamedTuple):
    """What the trainers saw; processor seconds by process; and when what happened."""

    answers: list
    seconds: float
    paces: dict
    processor: dict
    events: list


def kinds_of(sizes, facts):
    """Those that are measured alone; and of these those of the cluster, with their ranks and the part
    of the load that they make."""
    small, large = (jobs.plans(rows, sizes.side) for rows in sizes.plans)
    single, shared = (jobs.batches(sizes.rows, sizes.side, world, facts) for world in (1, jobs.WORLD))
    return [small, large, single, shared], {small: (24, 0.25), large: (24, 0.25), shared: (16, 0.5)}


def delta(after, before):
    """What was used between two looks."""
    return {name: seconds - before.get(name, 0) for name, seconds in after.items()}


def warm(cluster, kinds):
    """Each replica measures its transforms and checks its pictures."""
    for replica in cluster.replicas:
        for number, kind in enumerate(kinds * WARM):
            answer = replica.get(kind.target(1000 + number, 0, 0, 0))
            if answer.status != 200:
                raise RuntimeError(answer)


def all_answered(trainers):
    """Whether each has an answer."""
    return all(trainer.answers for trainer in trainers)


def alone(cluster, kind, seconds):
    """As fast as it comes, over as many connections as there are replicas."""
    trainers = [Trainer(cluster.nginx.address, kind.all_steps(100 + i, 0)) for i in range(REPLICAS)]
    before, end = cluster.meter.totals(), time.monotonic() + seconds
    took = train(trainers, lambda: time.monotonic() < end or not all_answered(trainers))
    used, answers = delta(cluster.meter.totals(), before), answers_of(trainers)
    count = len(answers)
    replicas = sum(value for name, value in used.items() if name.startswith("replica"))
    return Alone(kind, count, took, sum(answer.size for answer in answers) / count, replicas / count,
                 used["nginx"] / count, used["trainers"] / count), answers


def ranks(cluster, shares, costs):
    """A trainer for each rank of each job, and the seconds of a step of each kind: so that all ask for a
    part of what was answered of each kind alone. Ranks of a job go in step with each other, jobs do not."""
    trainers, paces, job = [], {}, 0
    for kind, (count, part) in shares.items():
        paces[kind.name] = pace = count / (part * LOAD * costs[kind.name].rate)
        for number in range(count // jobs.WORLD):
            delay = pace * number / (count // jobs.WORLD)
            trainers += [Trainer(cluster.nginx.address, kind.all_steps(job, rank), pace, delay)
                         for rank in range(jobs.WORLD)]
            job += 1
    return trainers, paces


def together(cluster, trainers, paces, seconds):
    """All of them, while replicas go and come."""
    before, start, events = cluster.meter.totals(), time.monotonic(), []
    happened, took = threading.Event(), []

    def ask():
        took.append(train(trainers, lambda: time.monotonic() < start + seconds or not happened.is_set()
                          or not all_answered(trainers), cluster.meter.look))

    thread = threading.Thread(target=ask)
    thread.start()
    # Here, for a replica ends with the thread that started it.
    try:
        for part, action, number in EVENTS:
            time.sleep(max(0, start + part * seconds - time.monotonic()))
            begun = time.monotonic()
            getattr(cluster, action)(number)
            events.append((begun - start, action, number, time.monotonic() - begun))
    finally:
        happened.set()
        thread.join()
    if not took:
        raise RuntimeError("the trainers gave up")
    return Together(answers_of(trainers), took[0], paces, delta(cluster.meter.totals(), before), events)


def not_once(answers, kinds):
    """Ranks of whose steps some were answered twice or left out."""
    length, steps = {kind.name: kind.steps for kind in kinds}, {}
    for answer in answers:
        steps.setdefault((answer.step.kind, answer.step.job, answer.step.rank), []).append(answer.step)
    for (kind, job, rank), own in steps.items():
        found = sorted((step.epoch, step.step) for step in own)
        if found != [divmod(number, length[kind]) for number in range(len(found))]:
            yield f"{kind}, job {job}, rank {rank}: {found}"


def differing(cluster, answers):
    """Steps whose bytes a daemon that nobody else asks does not give."""
    reference = cluster.daemon()
    try:
        count = 2 * len(os.sched_getaffinity(0))
        trainers = [Trainer(reference.address, iter([answer.step for answer in answers[i::count]]),
                            proxied=False) for i in range(count)]
        train(trainers)
        right = {answer.step: answer.digest for answer in answers_of(trainers)}
    finally:
        reference.stop()
    return [answer.step for answer in answers if right[answer.step] != answer.digest]


def run(seconds, sizes, say=print):
    """Everything; costs by kind, what was seen together, and what was wrong."""
    cores = len(os.sched_getaffinity(0))
    with Cluster(sizes.write_pictures) as cluster:
        kinds, shares = kinds_of(sizes, cluster.facts)
        warm(cluster, kinds)
        costs, answers = {}, []
        for kind in kinds:
            costs[kind.name], some = alone(cluster, kind, seconds * ALONE)
            answers += some
        say(report.alone(costs.values(), cores))
        trainers, paces = ranks(cluster, shares, costs)
        seen = together(cluster, trainers, paces, seconds)
        say(report.together(seen, len(trainers), cores, LOAD))
        answers += seen.answers
        twice, wrong = list(not_once(answers, kinds)), differing(cluster, answers)
    say(report.checked(answers, twice, wrong))
    return costs, seen, twice + wrong


def main():
    """Prints what came of it; fails where anything was wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--sizing", type=pathlib.Path)
    options = parser.parse_args()
    place, beside = options.sizing and page.Place(options.sizing, "sizing"), page.beside()
    costs, _, wrong = run(options.seconds, Sizes(), lambda text: print(text, flush=True))
    if place and not wrong:
        place.put(sizing.text(beside, list(costs.values())))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
