"""The requests of README's table "Coming from timm, torchvision or kornia" do what those libraries do:
batch by batch once the random numbers are drawn, and in how they are drawn."""

import math
import re
import tempfile
import unittest
from urllib.parse import urlencode

import numpy as np

import coming_from
import harness
import hosting
import peers
import tensors
from test_properties import beta_cdf

ROWS, SIDES = 8, (12, 15)
KOLMOGOROV = 1.9495  # of sqrt(n) times the distance, one in a thousand
ROUNDED = 1e-6       # of a sum in float32 of two numbers below 5


def batch(seed=1):
    """Images and class numbers."""
    source = np.random.default_rng(seed)
    return (source.standard_normal((ROWS, 3, *SIDES)).astype("<f4"),
            source.integers(0, coming_from.CLASSES, ROWS))


def images_and_labels(answer):
    """Of an answer in npz."""
    arrays = tensors.read_npz(answer.body)
    return arrays["mixed"], arrays["labels"]


class Comparing(harness.ServerTest):
    """Asks for plans and mixed batches."""

    arguments = ("--drain", "0")

    def plan(self, case, **query):
        """Named arrays."""
        query = {**case.plan(), "seed": 5, **query}
        return tensors.read_npz(self.get(f"/v1/plans.npz?{urlencode(query, safe=',')}").body)

    def draws(self, case, step):
        """What is drawn for a batch."""
        shape = "x".join(map(str, SIDES))
        return coming_from.drawn(self.plan(case, step=step, shape=shape, n=ROWS))

    def mixed(self, case, x, y, step):
        """Images and labels."""
        query = {"classes": coming_from.CLASSES, **case.query, "seed": 5, "step": step,
                 "layout": "channels_first", "parts": "mixed,labels"}
        answer = self.post(f"/v1/mix.npz?{urlencode(query, safe=',')}",
                           tensors.write_safetensors({"x": x, "y": y}),
                           content_type="application/x-safetensors")
        return images_and_labels(answer)

    def difference(self, case, peer, steps=4):
        """The largest from what a peer makes of the same draws, of images and of labels. Copied
        elements differ by nothing, or count as wrong."""
        x, y = batch()
        images = labels = 0
        for step in range(steps):
            draws = self.draws(case, step)
            served, theirs = self.mixed(case, x, y, step), peer.mix(x, y, draws)
            gaps = np.abs(served[0] - theirs[0]).max((1, 2, 3))
            copied = np.array(draws.method) != "mixup"
            images = max(images, gaps.max(), *(math.inf for gap in gaps[copied] if gap))
            labels = max(labels, np.abs(served[1] - theirs[1]).max())
        return images, labels


class Table(Comparing):
    def test_every_line_is_in_some_case(self):
        lines = [line for library in coming_from.table().values() for line in library]
        calls = "\n".join(case.call for case in coming_from.cases())
        for theirs, _ in lines:
            if theirs != "num_classes=10":
                self.assertIn(theirs.rstrip(")"), calls)
        self.assertGreater(len(lines), 20)
        self.assertGreater(len(coming_from.cases()), 100)

    def test_every_combination_mixes_as_the_library_does(self):
        for case in coming_from.cases():
            with self.subTest(str(case)):
                images, labels = self.difference(case, case.made())
                self.assertLess(images, ROUNDED)
                self.assertLess(labels, ROUNDED)

    def test_every_case_mixes(self):
        x, y = batch()
        for case in coming_from.cases():
            with self.subTest(str(case)):
                changed = [not np.array_equal(self.mixed(case, x, y, step)[0], x) for step in range(20)]
                self.assertTrue(any(changed))


class Hosted(Comparing):
    """The same requests for batches of a data set."""

    @classmethod
    def setUpClass(cls):
        root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.x, cls.y = (np.concatenate([batch(1)[i], batch(2)[i]]) for i in (0, 1))
        hosting.write(root, hosting.Hosted("some", cls.x, {"y": cls.y}, {"y": coming_from.CLASSES},
                                           "channels_first"))
        cls.arguments = ("--drain", "0", "--data", root)
        super().setUpClass()

    def test_a_hosted_batch_is_the_mixed_upload_of_its_rows(self):
        for case in coming_from.cases():
            for step in 0, 1:
                query = {"classes": coming_from.CLASSES, **case.query, "seed": 5, "n": ROWS,
                         "parts": "mixed,labels"}
                served = images_and_labels(self.get(
                    f"/v1/datasets/some/batches/{step}.npz?{urlencode(query, safe=',')}"))
                rows = slice(step * ROWS, (step + 1) * ROWS)
                uploaded = self.mixed(case, self.x[rows], self.y[rows], step)
                with self.subTest(str(case), step=step):
                    np.testing.assert_array_equal(served[0], uploaded[0])
                    np.testing.assert_array_equal(served[1], uploaded[1])


def shared(method, lam, units, law):
    """The rows of a unit have one method and one λ, which those of another need not have."""
    for rows in units:
        if any((values[:, rows] != values[:, rows[:1]]).any() for values in (method, lam)):
            yield f"rows {rows} do not share their draws"
    firsts = lam[:, [rows[0] for rows in units]]
    if law.lam is None and len(units) > 1 and (firsts == firsts[:, :1]).all():
        yield "a batch has one λ"


def mixing(mixed, law):
    """Of the units of each batch, as many are mixed as should be, within four standard errors; and of
    the batches, as many are left alone."""
    batches, units = mixed.shape
    alone = (1 - law.mixed) ** units
    spread = law.batch * (law.mixed * (1 - law.mixed) / units + law.mixed**2 * (1 - law.batch))
    touched = law.batch * (1 - alone)
    for what, share, expected, variance in (
            ("units", mixed.mean(), law.mixed * law.batch, spread),
            ("batches", mixed.any(1).mean(), touched, touched * (1 - touched))):
        if abs(share - expected) > 4 * math.sqrt(variance / batches) + 1 / batches:
            yield f"{what} are mixed: {share} instead of {expected}"


def following(first, law):
    """One mixed batch to the next, the method of the first unit changes as often as if each were drawn
    for itself; within six standard errors of changes that are independent, which these are not quite."""
    first = first[first != "none"]
    expected = 1 - sum(share**2 for share in law.shares.values())
    changes = (first[1:] != first[:-1]).mean()
    if abs(changes - expected) > 6 * math.sqrt(expected * (1 - expected) / len(first)):
        yield f"the method changes {changes} times a batch instead of {expected}"


def choosing(method, lam, law):
    """Of mixed units, each method has its share, within four standard errors, and its λ."""
    if set(method) != {name for name, share in law.shares.items() if share}:
        yield f"methods are {set(method)}"
        return
    for name, share in law.shares.items():
        chosen = method == name
        if abs(chosen.mean() - share) > 4 * math.sqrt(share * (1 - share) / len(chosen)):
            yield f"{name} has a share of {chosen.mean()} instead of {share}"
        elif law.lam is not None:
            if np.abs(lam[chosen] - law.lam).max() > 2**-32:
                yield f"λ is not {law.lam}"
        elif distance(lam[chosen], law.alphas[name]) > KOLMOGOROV:
            yield f"{name} has a λ that is not of Beta({law.alphas[name]})"


def distance(values, alpha):
    """Kolmogorov's from Beta(alpha, alpha), times the root of how many there are."""
    values = np.clip(np.sort(values), 1e-12, 1 - 1e-12)
    below = np.arange(len(values) + 1) / len(values)
    expected = beta_cdf(alpha, values)
    return max((expected - below[:-1]).max(), (below[1:] - expected).max()) * math.sqrt(len(values))


class Laws(Comparing):
    """Looks at how many batches are drawn."""

    STEPS = 2000

    def faults(self, case, law):
        """What a case's draws have that is not of this law."""
        plan = self.plan(case, shape=1, n=ROWS, steps=self.STEPS, parts="lambda,method")
        method = np.array(coming_from.METHODS)[plan["method"]].reshape(self.STEPS, ROWS)
        lam = plan["lambda"].reshape(self.STEPS, ROWS)
        units = [list(rows) for rows in peers.units(law.unit, ROWS)]
        firsts = [rows[0] for rows in units]
        mixed = method[:, firsts] != "none"
        return [*shared(method, lam, units, law), *mixing(mixed, law), *following(method[:, 0], law),
                *choosing(method[:, firsts][mixed], lam[:, firsts][mixed], law)]


class Drawing(Laws):
    def test_draws_have_the_law_of_the_library(self):
        done = set()
        for case in coming_from.cases():
            if str(case.plan()) not in done:
                done.add(str(case.plan()))
                with self.subTest(str(case)):
                    self.assertEqual(self.faults(case, case.made().law()), [])
        self.assertGreater(len(done), 30)

    def test_pairings_are_those_of_the_libraries(self):
        for case in coming_from.cases():
            pairing = self.plan(case, shape=1, n=ROWS, parts="pairing", steps=50)["pairing"]
            with self.subTest(str(case)):
                self.check_pairing(pairing.reshape(50, ROWS).tolist(), case.call)

    def check_pairing(self, pairings, call):
        """The only one there is, or permutations, most of them new."""
        rows = list(range(ROWS))
        if call.startswith("Mixup"):
            self.assertEqual(pairings, [rows[::-1]] * 50)
        elif "V2" not in call:
            self.assertEqual(pairings, [rows[-1:] + rows[:-1]] * 50)
        else:
            self.assertEqual([sorted(pairing) for pairing in pairings], [rows] * 50)
            self.assertGreater(len({tuple(pairing) for pairing in pairings}), 45)


def centres(side, length, begin, end):
    """From where a box of such a length is what is left of it in a side."""
    starts = np.arange(side) - length // 2
    fits = (np.maximum(starts, 0) == begin) & (np.minimum(starts + length, side) == end)
    return np.nonzero(fits)[0]


class Boxes(Comparing):
    """README says how those of one λ differ."""

    def boxes(self, side, call, library):
        """λ, the length of a side, and the box, of squares with boxes that are not empty."""
        plan = self.plan(case_of(call, library), shape=f"{side}x{side}", n=1, steps=2000, dtype="u8")
        for lam, mask in zip(plan["lambda"][:, 0], plan["masks"][:, 0]):
            if not mask.all():
                yield lam, int(side * math.sqrt(1 - lam)), coming_from.hole(mask)

    def both(self, side):
        """The length of a side, a box, and that of timm and torchvision of the same λ and centre."""
        for lam, length, box in self.boxes(side, "CutMix()", "torchvision"):
            middles = [centres(side, length, *span)[0] for span in (box[:2], box[2:])]
            yield length, box, peers.centred_box((side, side), lam, middles)

    def test_those_of_timm_and_torchvision_lack_the_last_row_of_an_odd_number(self):
        for side in 32, 33:
            odd = 0
            for length, box, theirs in self.both(side):
                self.assertEqual(theirs[::2], box[::2])
                for ours, end in zip(box[1::2], theirs[1::2]):
                    cut_off = ours == side
                    self.assertIn(ours - end, (0, length % 2) if cut_off else (length % 2,))
                odd += length % 2
            self.assertGreater(odd, 800)

    def test_their_effective_lambda_is_as_much_higher_as_is_said(self):
        page = (harness.ROOT / "README.md").read_text(encoding="utf-8")
        said = re.search(r"λ_eff is ([\d.]+) higher there at 32x32 on average and ([\d.]+) at\s+224x224", page)
        for side, mean in zip((32, 224), said.groups()):
            gaps = [(peers.area(box) - peers.area(theirs)) / side**2 for _, box, theirs in self.both(side)]
            self.assertLess(abs(np.mean(gaps) - float(mean)), 4 * np.std(gaps) / math.sqrt(len(gaps)))

    def test_those_of_kornia_have_the_same_sides_and_never_reach_the_last_row(self):
        side, reach = 24, 0
        for _, length, (top, bottom, left, right) in self.boxes(side, "RandomCutMixV2(beta=0.5)", "kornia"):
            self.assertEqual((bottom - top, right - left), (length, length))
            if length < side:
                reach += bottom == side
                self.assertLess(peers.place_of_kornia(side, length, 1 - 2**-24) + length, side)
        self.assertGreater(reach, 100)


def case_of(call, library):
    """The case of a call."""
    found, = (case for case in coming_from.cases(library) if case.call == call)
    return found


class Wrong:
    """Mistakes that one could make in saying the same, each in a namesake that is right otherwise."""

    class DrawnWeight(peers.CutMix):
        """The label has the λ that was drawn, though the box is cut off at the border."""

        def mix(self, x, y, draws):
            return super().mix(x, y, draws)[0], self.labels(y, draws.lam[0])

    class NextRow(peers.MixUp):
        """The label is that of the row behind."""

        def labels(self, y, lam):
            own = peers.one_hot(y, self.num_classes)
            return peers.both(own, np.roll(own, -1, 0), [lam] * len(y))

    class InclusiveBox(peers.CutMix):
        """The box's last row and column are in it."""

        def mix(self, x, y, draws):
            top, bottom, left, right = draws.box[0]
            return super().mix(x, y, draws._replace(box=[(top, bottom - 1, left, right - 1)]))

    class OtherClasses(peers.Mixup):
        """The smoothing is shared out among the other classes."""

        def labels(self, y, partner, weight):
            rest = self.label_smoothing / (self.num_classes - 1)
            own, other = (np.where(peers.one_hot(labels, self.num_classes) == 1,
                                   np.float32(1 - self.label_smoothing), np.float32(rest))
                          for labels in (y, partner))
            return peers.both(own, other, weight)

    class Unsmoothed(peers.Mixup):
        """A row that is not mixed is not smoothed."""

        def labels(self, y, partner, weight):
            smooth = super().labels(y, partner, weight)
            return np.where(weight[:, None] == 1, peers.one_hot(y, self.num_classes), smooth)

    class NothingLeft(peers.Mixup):
        """A row that is not mixed has λ 0 and becomes its partner."""

        def row(self, x, partner, draws, i):
            if draws.method[i] == "none":
                return partner, 0
            return super().row(x, partner, draws, i)

    class OwnWeight(peers.RandomMixUpV2):
        """λ is the weight of the row itself."""

        def mix(self, x, y, draws):
            return super().mix(x, y, draws._replace(lam=1 - draws.lam))

    class Flipped(peers.RandomMixUpV2):
        """Partners are those of timm."""

        def mix(self, x, y, draws):
            return super().mix(x, y, draws._replace(pairing=draws.pairing[::-1]))


class Mistakes(Comparing):
    """What would be seen if a request did not say the same."""

    PLAIN = 'Mixup(mode="{}", mixup_alpha=0.8, cutmix_alpha=1'

    def caught(self, case, wrong, images, labels):
        """Of a namesake with a mistake: what differs, images or labels or both."""
        self.assertEqual([gap > 0.01 for gap in self.difference(case, wrong, steps=8)], [images, labels])

    def test_mistakes_in_torchvision_s_are_seen(self):
        cutmix = case_of("CutMix()", "torchvision")
        mixup = case_of("MixUp(alpha=0.2)", "torchvision")
        many = {"num_classes": coming_from.CLASSES}
        self.caught(cutmix, Wrong.DrawnWeight(**many), False, True)
        self.caught(cutmix, Wrong.InclusiveBox(**many), True, True)
        self.caught(mixup, Wrong.NextRow(alpha=0.2, **many), False, True)
        self.caught(cutmix, peers.MixUp(**many), True, True)

    def test_mistakes_in_timm_s_are_seen(self):
        smooth = case_of(self.PLAIN.format("elem") + ", prob=0.9, num_classes=10, label_smoothing=0.1)",
                         "timm")
        said = {"mode": "elem", "mixup_alpha": 0.8, "cutmix_alpha": 1, "prob": 0.9, "num_classes": 10,
                "label_smoothing": 0.1}
        self.caught(smooth, peers.Mixup(**said), False, False)
        self.caught(smooth, Wrong.OtherClasses(**said), False, True)
        self.caught(smooth, Wrong.Unsmoothed(**said), False, True)
        self.caught(smooth, Wrong.NothingLeft(**said), True, True)
        self.caught(smooth, peers.Mixup(**{**said, "correct_lam": False}), False, True)

    def test_mistakes_in_kornia_s_are_seen(self):
        case = case_of("RandomMixUpV2()", "kornia")
        for wrong in (Wrong.OwnWeight, Wrong.Flipped):
            self.caught(case, wrong(num_classes=coming_from.CLASSES), True, True)

    def test_another_mode_is_seen(self):
        said = {"mixup_alpha": 0.8, "cutmix_alpha": 1, "num_classes": coming_from.CLASSES}
        for mode, wrong in (("elem", "pair"), ("elem", "batch"), ("pair", "batch")):
            case = case_of(self.PLAIN.format(mode) + ")", "timm")
            self.caught(case, peers.Mixup(mode=wrong, **said), True, True)


class MistakenLaws(Laws):
    """A law that is not that of the library."""

    def wrong(self, call, library, **changed):
        """The faults of a case under a law with something else in it; it has none under its own."""
        case = case_of(call, library)
        law = case.made().law()
        self.assertEqual(self.faults(case, law), [])
        self.assertNotEqual(self.faults(case, law._replace(**changed)), [], changed)

    def test_mistaken_laws_are_seen(self):
        switched = Mistakes.PLAIN + ", switch_prob=0.3, prob=0.9)"
        for mode in "batch", "pair", "elem":
            self.wrong(switched.format(mode), "timm", shares={"mixup": 0.3, "cutmix": 0.7})
            self.wrong(switched.format(mode), "timm", alphas={"mixup": 1, "cutmix": 0.8})
            self.wrong(switched.format(mode), "timm", mixed=0.9**2)
        self.wrong(switched.format("pair"), "timm", unit="batch")
        self.wrong(switched.format("pair"), "timm", unit="elem")
        self.wrong(switched.format("batch"), "timm", unit="pair")
        self.wrong("RandomChoice([MixUp(alpha=0.2), CutMix()])", "torchvision",
                   shares={"mixup": 0.55, "cutmix": 0.45})
        self.wrong("MixUp(alpha=0.2)", "torchvision", alphas={"mixup": 0.25})

    def test_p_is_asked_twice_in_kornia(self):
        call = "RandomMixUpV2(p=0.2)"
        self.wrong(call, "kornia", mixed=0.2, batch=1)
        self.wrong(call, "kornia", mixed=0.04, batch=1)
        self.wrong("RandomMixUpV2(p=0.2, same_on_batch=True)", "kornia", mixed=0.2, batch=1)


if __name__ == "__main__":
    unittest.main()
