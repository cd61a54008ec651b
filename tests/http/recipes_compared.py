"""How many random recipes C and Python, and JavaScript and Python, compare in a test run: README says so.
FMIX_AGREEMENT scales them, as `make long` does."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "javascript"))

import test_agreement as masks  # noqa: E402
import test_hosted_dense as targets  # noqa: E402
import test_image_dense as maps  # noqa: E402
import test_images as images  # noqa: E402
import test_javascript as javascript  # noqa: E402
import test_recipes_agree as rows  # noqa: E402
import test_sequences as sequences  # noqa: E402


def main():
    """Prints both numbers."""
    drawn = sum(len(masks.cases(stratum)) for stratum in masks.SHARES) + sum(map(len, map(
        masks.batches, masks.BATCHES)))
    compared = rows.PLANS + rows.BATCHES + rows.HOSTED + images.CASES + maps.CASES + sequences.CASES
    hosted = targets.CASES * len(list(targets.some_sets()))
    print(drawn + compared + hosted, javascript.RECIPES + javascript.RECIPES // 2)


if __name__ == "__main__":
    main()
