"""What `make cluster` prints."""

import math

PAST = {"kill": "killed", "restart": "started again", "replace": "replaced"}


def quantile(values, part):
    """The least value that such a part of them does not exceed."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def table(head, rows):
    """Of Markdown, for eyes too."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    texts = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    return "\n".join([texts[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *texts[1:]])


def alone(costs, cores):
    """Each kind by itself."""
    rows = [[cost.kind.name, str(cost.answers), f"{cost.rate:.1f}", f"{cost.size / 1e6:.3g}",
             *(f"{1e3 * part:.3g}" for part in (cost.replicas, cost.nginx, cost.trainers)),
             f"{cost.all * cost.rate / cores:.0%}"] for cost in costs]
    return ("Each kind alone, as fast as it comes; ms are processor time an answer:\n\n" +
            table(["asked for", "answers", "a second", "MB", "replicas, ms", "nginx, ms", "trainers, ms",
                   f"of {cores} cores"], rows) + "\n")


def by_kind(seen):
    """A line for each kind of answer, and one for all."""
    kinds = {}
    for answer in seen.answers:
        kinds.setdefault(answer.step.kind, []).append(answer)
    for name, some in [*kinds.items(), ("all", seen.answers)]:
        times = [answer.seconds for answer in some]
        late = sum(answer.seconds > seen.paces[answer.step.kind] for answer in some)
        yield [name, f"{seen.paces[name]:.2f}" if name in seen.paces else "", str(len(some)),
               f"{len(some) / seen.seconds:.1f}", f"{sum(answer.size for answer in some) / 1e6:.0f}",
               *(f"{1e3 * quantile(times, part):.1f}" for part in (0.5, 0.99, 1)), str(late)]


def together(seen, trainers, cores, load):
    """The cluster: answers, processes, events."""
    used = sum(seen.processor.values())
    happened = "".join(f"- at {at:.1f} s replica {number + 1} is {PAST[action]}"
                       f"{f', which takes {took:.1f} s' * (action != 'kill')}\n"
                       for at, action, number, took in seen.events)
    return (f"{trainers} trainers for {seen.seconds:.0f} s, at steps that ask for {load:.0%} of what was "
            f"answered alone ({used / seen.seconds / cores:.0%} of {cores} cores were used):\n\n" +
            table(["asked for", "step, s", "answers", "a second", "MB", "p50, ms", "p99, ms", "most, ms",
                   "later than the step"], list(by_kind(seen))) + "\n\n" +
            table(["process", "processor, s"], [[name, f"{seconds:.2f}"] for name, seconds in
                                                sorted(seen.processor.items())]) + "\n\n" + happened)


def checked(answers, twice, wrong):
    """What was found wrong, if anything was."""
    refused, cut = sum(answer.refused for answer in answers), sum(answer.cut for answer in answers)
    lines = [f"{len(answers)} answers of {sum(answer.size for answer in answers) / 1e6:.0f} MB: "
             f"{len(answers) - len(wrong)} have the digests that a daemon by itself gives. "
             f"Asked again: {refused} refused, {cut} cut off.",
             *(f"not answered once: {text}" for text in twice[:5]),
             *(f"wrong bytes: {step}" for step in wrong[:5])]
    return "\n".join(lines)
