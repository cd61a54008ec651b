#!/usr/bin/python3
"""Ranks (DDP) that share the batches of a hosted set, validate, and go on where they were after a kill.

It starts --ranks processes here; where RANK and WORLD_SIZE are set, as by torchrun, it is one of them. All do the same
steps. Kill one, and run the same command again: the job resumes within the epoch, and two ranks end with the very
weights of a run that was never killed. Pictures of several sizes need --size 224 or the like.
"""

import argparse
import hashlib
import os
import tempfile

import fmixd
import torch


def save(path, parts):  # the whole of it is there, or else the one before
    torch.save({name: part.state_dict() for name, part in parts.items()}, f"{path}.part")
    os.replace(f"{path}.part", path)


@torch.no_grad()
def accuracy(model, unmixed):
    counts = [(int((model.eval()(x).argmax(1) == y.argmax(1)).sum()), len(x)) for x, y in unmixed]
    torch.distributed.all_reduce(found := torch.tensor([(0, 0), *counts]).sum(0))  # each rank has counted its share
    return float(found[0] / found[1])


def train(rank, given, meeting, world):
    torch.distributed.init_process_group("gloo", meeting, rank=rank, world_size=world)  # nccl on GPUs
    print(f"rank {rank} is process {os.getpid()}", flush=True)
    law = {"batch": given.batch, "rank": rank, "world": world, "out_dtype": "f32", "layout": "channels_first"}
    law, middle = ({**law, "size": given.size}, {"view": "center"}) if given.size else (law, {})
    hosted = fmixd.Epochs(given.url, given.set, seed=7, shuffle=1, method="fmix,mixup", **law)
    unmixed = fmixd.Epochs(given.url, given.validation or given.set, method="none", **law, **middle)
    x, y = next(iter(unmixed))
    torch.manual_seed(1)
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(x[0].numel(), y.shape[1])))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    parts = {"model": model, "optimizer": optimizer, "hosted": hosted}
    found = [torch.load(given.checkpoint) if rank == 0 and os.path.exists(given.checkpoint) else {}]
    torch.distributed.broadcast_object_list(found)  # rank 0's machine has the file, perhaps alone
    for name, state in found[0].items():
        parts[name].load_state_dict(state)
    for epoch in range(hosted.state_dict()["epoch"], given.epochs):
        hosted.set_epoch(epoch)
        for step, (x, y) in enumerate(hosted, hosted.state_dict()["step"]):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model.train()(x), y)
            loss.backward()
            optimizer.step()
            if rank == 0:
                print(f"epoch {epoch} step {step}: loss {loss.item():.3f}", flush=True)
            if rank == 0 and step % 3 == 2:
                save(given.checkpoint, parts)
        right = accuracy(model.module, unmixed)
        if rank == 0:
            print(f"epoch {epoch}: accuracy {right:.3f}", flush=True)
    if rank == 0:
        save(given.checkpoint, parts)
        print("weights", hashlib.sha256(b"".join(w.numpy().tobytes() for w in model.state_dict().values())).hexdigest())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "garments"), ("validation", ""), ("size", ""),
                          ("checkpoint", "ddp_hosted.pt"), ("ranks", 2), ("epochs", 10), ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()
    if "RANK" in os.environ:
        return train(int(os.environ["RANK"]), given, "env://", int(os.environ["WORLD_SIZE"]))
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(train, (given, f"file://{folder}/meeting", given.ranks), given.ranks)


if __name__ == "__main__":
    main()
