"""Shards as readers of WebDataset take them: the names that braces stand for, and the members of a tar."""

import io
import re
import tarfile


def expanded(urls):
    """What the braces stand for."""
    first, last = re.search(r"\{(\d+)\.\.(\d+)\}", urls).groups()
    return [re.sub(r"\{.*\}", f"{number:0{len(first)}}", urls)
            for number in range(int(first), int(last) + 1)]


def members(body):
    """Name and bytes of each, streamed."""
    with tarfile.open(fileobj=io.BytesIO(body), mode="r|") as archive:
        return [(member, archive.extractfile(member).read()) for member in archive]
