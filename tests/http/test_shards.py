"""An epoch as WebDataset shards, read as its reader does, by Python's tarfile and by bsdtar."""

import json
import re
import shutil
import subprocess
import tempfile
import unittest

import numpy as np

import harness
import hosting
from hosting import Hosted
from picture import read_png
from shard_files import expanded, members
from test_datasets import HostingTest

READER = ("curl", "--connect-timeout", "30", "--retry", "30", "--retry-delay", "2", "-f", "-s", "-L")


class Shards(HostingTest):
    """Of sets of our own."""

    def shards(self, name, **options):
        """The list's answer."""
        query = "&".join(f"{key}={value}" for key, value in options.items())
        return self.get(f"/v1/datasets/{name}/shards?{query}").json()

    def test_an_epoch_is_its_batches_sample_by_sample(self):
        options = {"n": 7, "seed": 5, "shuffle": 1, "epoch": 3, "flip": 1, "method": "fmix,mixup",
                   "alpha": 0.4}
        listed = self.shards("colour", **options)
        urls = expanded(listed["urls"])
        self.assertEqual((len(urls), listed["shards"], listed["samples"]), (4, 4, 23))
        for step, url in enumerate(urls):
            whole = self.parts("colour", step, **options)
            found = members(self.get(url).body)
            self.assertEqual(len(found), 2 * len(whole["mixed"]))
            for row, mixed in enumerate(whole["mixed"]):
                (sample, array), (_, facts) = found[2 * row], found[2 * row + 1]
                self.assertEqual(sample.name, f"{step:06}-{row:06}.npy")
                self.assertEqual((sample.mtime, sample.mode, sample.uid), (0, 0o644, 0))
                self.assertEqual(harness.read_npy(array).tobytes(), mixed.tobytes())
                facts = json.loads(facts)
                for part in ("pairing", "lambda", "lambda_eff", "rows"):
                    self.assertEqual(facts[part], whole[part][row])
                np.testing.assert_array_equal(np.float32(facts["labels"]), whole["labels"][row])

    def test_shards_have_as_many_rows_as_the_list_says(self):
        shares = [{"rank": rank, "world": 3} for rank in range(3)]
        for share in [{}, *shares]:
            for options in ({}, {"n": 1}, {"n": 5}, {"n": 5, "drop_last": 1}, {"n": 7, "drop_last": 1}, {"n": 64}):
                if share and options.get("n") == 1:
                    continue  # ranks without a row
                listed = self.shards("colour", **options, **share)
                rows = [len(members(self.get(url).body)) // 2 for url in expanded(listed["urls"])]
                self.assertEqual((rows[0], sum(rows)), (listed["samples_per_shard"], listed["samples"]), listed)

    def test_a_list_of_another_digest_is_409(self):
        digest = self.get("/v1/datasets/colour").json()["digest"]
        self.assertEqual(self.shards("colour", n=7, digest=digest), self.shards("colour", n=7))
        refused = self.get("/v1/datasets/colour/shards?n=7&digest=" + "0" * 64, 409).json()
        self.assertEqual((refused["title"], refused["errors"][0]["parameter"]), ("Conflict", "digest"))

    def test_a_shard_whose_name_has_another_digest_too_is_409(self):
        digest = self.get("/v1/datasets/colour").json()["digest"]
        url, *_ = expanded(self.shards("colour", n=7)["urls"])
        begin, number = url.rsplit("==", 1)
        self.assertEqual(self.get(f"{begin}==digest={digest}=={number}").body, self.get(url).body)
        refused = self.get(f"{begin}==digest={'0' * 64}=={number}", 409).json()
        self.assertEqual(refused["errors"][0]["parameter"], "digest")

    def test_a_set_without_labels_has_shards_without(self):
        url, *_ = expanded(self.shards("voxels", n=5)["urls"])
        facts = json.loads(members(self.get(url).body)[1][1])
        self.assertEqual(set(facts), {"pairing", "lambda", "lambda_eff", "rows"})

    def test_labels_that_are_no_numbers_are_null(self):
        odd = np.array([[np.nan, 1], [np.inf, -np.inf], [0.5, 0.5]], "<f4")
        data = Hosted("odd", np.zeros((3, 4), np.uint8), {"y": odd}, {}, "none")
        with tempfile.TemporaryDirectory() as root:
            hosting.write(root, data)
            with harness.Server("--data", root, "--drain", "0") as server:
                listed = server.get("/v1/datasets/odd/shards?n=3&method=none").json()
                found = members(server.get(expanded(listed["urls"])[0]).body)

        def no_json(constant):
            self.fail(f"{constant} is no JSON")
        labels = [json.loads(facts, parse_constant=no_json)["labels"] for _, facts in found[1::2]]
        self.assertEqual(labels, [[None, 1], [None, None], [0.5, 0.5]])

    def test_keys_of_one_sample_are_neighbours_with_one_stem(self):
        url, *_ = expanded(self.shards("heads", n=5)["urls"])
        names = [member.name for member, _ in members(self.get(url).body)]
        self.assertEqual([name.split(".")[0] for name in names[::2]],
                         [name.split(".")[0] for name in names[1::2]])
        self.assertEqual(len(set(names)), 10)

    def test_lengths_are_known_ahead_and_ranges_are_parts(self):
        url, *_ = expanded(self.shards("colour", n=9, seed=2)["urls"])
        whole = self.get(url)
        head = self.server.request("HEAD", url)
        self.assertEqual(head.headers["Content-Length"], str(len(whole.body)))
        self.assertEqual(head.headers["Content-Type"], "application/x-tar")
        self.assertIn("immutable", head.headers["Cache-Control"])
        part = self.server.get(url, headers={"Range": "bytes=700-3000"})
        self.assertEqual((part.status, part.body), (206, whole.body[700:3001]))
        self.assertEqual(whole.body[-1024:], bytes(1024))

    def test_the_name_alone_says_what_a_shard_is(self):
        names = {re.sub(r".*/|==\{.*", "", self.shards("colour", **options)["urls"]) for options in (
            {"n": 7}, {"n": 8}, {"n": 7, "seed": 1}, {"n": 7, "epoch": 1}, {"n": 7, "shuffle": 1},
            {"n": 7, "method": "fmix,mixup"}, {"n": 7, "alpha": 0.25}, {"n": 7, "mean": "0.5,0.4,0.3"},
            {"n": 7, "rank": 1, "world": 2}, {"n": 7, "member": "npy", "crop": 2})}
        self.assertEqual(len(names), 10)
        self.assertTrue(all(re.fullmatch(r"[\w=+~-]+", name) for name in names), names)
        self.assertEqual(self.shards("colour", n=7), self.shards("colour", n=7, seed=0, alpha=1.0))

    def test_pictures_are_png_of_one_length(self):
        options = {"n": 6, "method": "cutmix", "seed": 3}
        url, *_ = expanded(self.shards("heads", **options, member="png")["urls"])
        whole = self.parts("heads", 0, **options)["mixed"]
        found = members(self.get(url).body)
        for row, (sample, data) in enumerate(found[::2]):
            self.assertTrue(sample.name.endswith(".png"))
            pixels, _ = read_png(data)
            self.assertEqual(np.array(pixels).tobytes(), whole[row].tobytes())
        self.assertEqual(len({len(data) for _, data in found[::2]}), 1)
        refused = self.get(url.replace("heads", "colour"), 404).json()
        self.assertIn("digest", refused["detail"])

    def test_pictures_that_no_reader_takes_are_400(self):
        with tempfile.TemporaryDirectory() as root:
            hosting.write(root, Hosted("long", np.zeros((2, 1_000_001), np.uint8), {}, {}, "none"))
            with harness.Server("--data", root, "--drain", "0") as server:
                listed = server.get("/v1/datasets/long/shards?n=2").json()
                url = expanded(listed["urls"])[0].replace("==n=2", "==n=2==member=png")
                for target in url, "/v1/datasets/long/shards?n=2&member=png":
                    refused = server.get(target)
                    self.assertEqual((refused.status, refused.json()["errors"][0]["parameter"]),
                                     (400, "member"))

    def test_a_list_is_refused_for_what_its_shards_would_be_refused_for(self):
        for name, parameter, query in (
                ("colour", "mean", "mean=1,2"), ("colour", "classes", "classes=4"),
                ("signal", "member", "member=png"), ("voxels", "member", "member=png"),
                ("heads", "member", "member=png&out_dtype=f32"),
                ("heads", "out_dtype", "mean=0.5&out_dtype=u8"), ("tokens", "method", "method=mixup"),
                ("colour", "crop", "crop=9&pad=reflect"),
                ("colour", "weights", "method=fmix,mixup&policy=random&weights=1"),
                ("colour", "lambda", "lambda=0.5&alpha=2"), ("signal", "out_dtype", "out_dtype=bf16"),
                ("colour", "rank", "rank=1&world=1"), ("voxels", "std", "layout=channels_last&std=2,2")):
            with self.subTest(name, query=query):
                listed = self.get(f"/v1/datasets/{name}/shards?n=3&{query}", 400)
                self.assertEqual(listed.json()["errors"][0]["parameter"], parameter)

    def test_a_list_of_what_its_shards_hold_is_given(self):
        for name, query in ("colour", "member=png"), ("heads", "method=fmix,mixup&soft=0.1"):
            for shard in expanded(self.get(f"/v1/datasets/{name}/shards?n=3&{query}").json()["urls"]):
                self.get(shard)

    def test_a_name_too_long_is_refused_by_its_longest_parameter(self):
        for query in ("mean=" + ",".join(["3.085098287346993"] * 3) + "&std=" + ",".join(["0.1234567890123"] * 3)
                      + "&method=" + ",".join(["samplepairing"] * 8), "method=" + ",".join(["fmix"] * 8)
                      + "&weights=" + ",".join(["4294967295"] * 8) + "&classes=" + ",".join(["1048576"] * 8)):
            refused = self.get("/v1/datasets/colour/shards?n=3&" + query, 400).json()["errors"][0]
            self.assertIn(refused["parameter"], ("method", "weights"))
            self.assertIn("240 bytes", refused["detail"])

    def test_what_is_no_shard_is_404(self):
        good, *_ = expanded(self.shards("colour", n=7)["urls"])
        self.get(good)
        for bad in ("/v1/shards/x.tar", "/v1/shards/.tar", good.replace("000000", "000004"),
                    good.replace("000000", "abc"), good.replace("colour", "nobody"),
                    re.sub("==[0-9a-f]{16}", "==" + "0" * 16, good), good.replace(".tar", ".npy"),
                    good.replace("==000000", "")):
            self.assertIn(self.server.get(bad).status, (400, 404, 406), bad)
        self.get("/v1/datasets/colour/shards?n=0", 400)
        self.get("/v1/datasets/nobody/shards?n=3", 404)
        self.get(good.replace("n=7", "n=7==seed=x"), 400)

    def test_its_reader_s_own_command_line_reads_it(self):
        url, *_ = expanded(self.shards("colour", n=7)["urls"])
        whole = "http://{}:{}{}".format(*self.server.address, url)
        done = subprocess.run([*READER, whole], stdout=subprocess.PIPE, check=True, timeout=harness.PATIENCE)
        self.assertEqual(done.stdout, self.get(url).body)
        gone = subprocess.run([*READER, whole.replace("000000", "000009")], stdout=subprocess.PIPE,
                              check=False, timeout=harness.PATIENCE)
        self.assertEqual((gone.returncode, gone.stdout), (22, b""))

    @unittest.skipUnless(shutil.which("bsdtar"), "there is no bsdtar here")
    def test_bsdtar_reads_it(self):
        url, *_ = expanded(self.shards("colour", n=7)["urls"])
        done = subprocess.run(["bsdtar", "-tf", "-"], input=self.get(url).body,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
        self.assertEqual((len(done.stdout.split()), done.stderr), (14, b""))


if __name__ == "__main__":
    unittest.main()
