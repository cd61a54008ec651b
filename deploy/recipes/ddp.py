#!/usr/bin/python3
"""Ranks (DDP) that mix the batches of their own loaders, and go on where they were after a kill.

It starts --ranks processes; where RANK and WORLD_SIZE are set, as by torchrun, it is one of them. Kill one, and run the
same command again: the job resumes within the epoch, and two ranks end with the weights of a run that was never killed.
"""

import argparse
import hashlib
import itertools
import os
import tempfile

import fmixd
import numpy as np
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


def own_data(url, name):
    """Samples with class numbers, and how many classes there are. Put yours here; this is a hosted set, unmixed."""
    rows = fmixd.epoch(url, name, method="none", out_dtype="f32", layout="channels_first")
    x, y = (torch.from_numpy(np.concatenate(parts)) for parts in zip(*rows))
    return TensorDataset(x, y.argmax(1)), y.shape[1]


def save(path, parts):  # the whole of it is there, or else the one before
    torch.save({name: part.state_dict() for name, part in parts.items()}, f"{path}.part")
    os.replace(f"{path}.part", path)


def train(rank, given, meeting, world):
    dist.init_process_group("gloo", meeting, rank=rank, world_size=world)  # nccl on GPUs
    print(f"rank {rank} is process {os.getpid()}", flush=True)
    data, classes = own_data(given.url, given.set)
    sampler = DistributedSampler(data, world, rank, seed=7)
    loader = DataLoader(data, given.batch, sampler=sampler)
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(data[0][0].numel(), classes))
    model = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    mix = fmixd.Mixer(given.url, seed=7, method="fmix,mixup", classes=classes, rank=rank, world=world)
    parts = {"model": model, "optimizer": optimizer, "mix": mix}
    found = [torch.load(given.checkpoint) if rank == 0 and os.path.exists(given.checkpoint) else {}]
    dist.broadcast_object_list(found)  # rank 0's machine has the file, perhaps alone
    for name, state in found[0].items():
        parts[name].load_state_dict(state)
    for epoch in range(mix.state_dict()["epoch"], given.epochs):
        sampler.set_epoch(epoch)
        start = mix.state_dict()["step"]  # 0, unless a checkpoint was made within this epoch
        for step, (x, y) in enumerate(mix.epoch(itertools.islice(loader, start, None), epoch), start):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            if rank == 0:
                print(f"epoch {epoch} step {step}: loss {loss.item():.3f}", flush=True)
            if rank == 0 and step % 3 == 2:
                save(given.checkpoint, parts)
    if rank == 0:
        save(given.checkpoint, parts)
        print("weights", hashlib.sha256(b"".join(w.numpy().tobytes() for w in model.state_dict().values())).hexdigest())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "garments"), ("checkpoint", "ddp.pt"),
                          ("ranks", 2), ("epochs", 10), ("batch", 8)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()
    if "RANK" in os.environ:
        return train(int(os.environ["RANK"]), given, "env://", int(os.environ["WORLD_SIZE"]))
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(train, (given, f"file://{folder}/meeting", given.ranks), given.ranks)


if __name__ == "__main__":
    main()
