"""An independent reference of stream v1, for tests only.

Follows STREAM.md section by section and shares nothing with the C
library. Whatever is integral is done in Python integers and fractions;
whatever is real is approximated with a stated error bound and, where that
bound cannot settle a decision, computed again with more precision.

    refstream   words, lambda, pairing, addressing, policies: 1, 2, 5, 6, 7
    reffield    the image G and its bounds: 3
    refmask     ranks, masks hard and soft, grey images, boxes: 3, 4
    refmixing   the arithmetic of mixing and labels, types: 8
    refview     views of pictures, their windows: 9
    refresize   resizing, and what samples of files mean: 9
    refchoice   prob, switch, partners by class and neighbourhood: 10, 11
    refsequence batches of sequences, and their padding: 12
    refdense    dense targets: 13
    refrecipe   recipes, the masks and plans of their rows
    refbatch    mixed batches
    refquery    recipes as requests write them
    refhosted   batches of data sets: sampled, augmented, mixed
"""

from refbatch import *  # noqa: F401,F403
from refchoice import *  # noqa: F401,F403
from refdense import *  # noqa: F401,F403
from reffield import *  # noqa: F401,F403
from refhosted import *  # noqa: F401,F403
from refmask import *  # noqa: F401,F403
from refmixing import *  # noqa: F401,F403
from refquery import *  # noqa: F401,F403
from refrecipe import *  # noqa: F401,F403
from refsequence import *  # noqa: F401,F403
from refresize import *  # noqa: F401,F403
from refstream import *  # noqa: F401,F403
from refview import *  # noqa: F401,F403
