"""Bad input gets a clear refusal, and the connection serves on.

Every refusal here goes over a connection that is never reopened, and is
followed by a request that must succeed on it.
"""

import unittest

import numpy as np

from bad_input import (BODY, each_parameter, LAST, MASKS_NPY, MOST_ELEMENTS,
                       MOST_ROWS, OneConnection, PARTS, RESOURCES, shown)
from harness import write_npy


class Parameters(OneConnection):
    def test_a_request_that_lacks_nothing_is_answered(self):
        for resource in RESOURCES:
            with self.subTest(path=resource.path):
                self.assertEqual(self.ask_resource(resource).status, 200)

    def test_each_end_of_a_range_and_each_choice_is_taken(self):
        for resource, parameter in each_parameter():
            for value in parameter.good:
                pair = f"{parameter.name}={value}"
                with self.subTest(path=resource.path, pair=pair):
                    self.check_taken(resource, pair)

    def check_taken(self, resource, pair):
        """The most rows are only asked about: HEAD computes nothing."""
        if pair == f"n={MOST_ROWS}":
            answer = self.ask("HEAD", resource.target(pair))
        else:
            answer = self.ask_resource(resource, *needed_with(pair), pair)
        self.assertEqual(answer.status, 200, answer.body[:500])

    def test_a_bad_value_is_400_with_the_value_and_what_is_allowed(self):
        for resource, parameter in each_parameter():
            for value in parameter.bad:
                pair = f"{parameter.name}={value}"
                with self.subTest(path=resource.path, pair=pair[:60]):
                    self.check_refused(self.ask_resource(resource, pair),
                                       parameter.name, shown(value),
                                       *parameter.allowed)

    def test_an_empty_parameter_is_400_and_named(self):
        for resource, parameter in each_parameter():
            for pair in f"{parameter.name}=", parameter.name:
                with self.subTest(path=resource.path, pair=pair):
                    self.check_refused(self.ask_resource(resource, pair),
                                       parameter.name, "empty")

    def test_a_repeated_parameter_is_400_and_named(self):
        for resource, parameter in each_parameter():
            first, other = parameter.good[0], parameter.good[-1]
            for values in (first, first), (first, other), (other, "junk"):
                pairs = [f"{parameter.name}={value}" for value in values]
                with self.subTest(path=resource.path, pairs=pairs):
                    self.check_refused(self.ask_resource(resource, *pairs),
                                       parameter.name, "more than once")

    def test_an_unknown_parameter_is_400_and_told_what_there_is(self):
        for resource in RESOURCES:
            for name in "sed", "Seed", "SEED", "seed2", "delta_", "a" * 39:
                with self.subTest(path=resource.path, name=name):
                    answer = self.ask_resource(resource, f"{name}=1")
                    self.check_refused(answer, name, f"'{name}'",
                                       *resource.names)

    def test_the_other_resources_parameter_is_400_and_named(self):
        for resource, other in (RESOURCES, RESOURCES[::-1]):
            for name in set(other.names) - set(resource.names):
                with self.subTest(path=resource.path, name=name):
                    self.check_refused(
                        self.ask_resource(resource, f"{name}=1"), name,
                        "this resource", *resource.names)

    def test_a_parameter_of_a_resource_without_any_is_400_and_named(self):
        for path in "/livez", "/readyz", "/metrics", "/version":
            with self.subTest(path=path):
                self.check_refused(self.ask("GET", f"{path}?seed=1"), "seed")

    def test_masks_without_a_shape_are_400_and_told_how(self):
        for query in "", "?", "?seed=1":
            with self.subTest(query=query):
                self.check_refused(self.ask("GET", f"/v1/masks{query}"),
                                   "shape", "required", "shape=32x32")

    def test_everything_that_is_wrong_is_named_at_once(self):
        answer = self.ask("GET", "/v1/masks?shape=0&seed=x&n=0&what=1")
        errors = self.check_problem(answer, 400)
        self.assertEqual([error["parameter"] for error in errors],
                         ["shape", "seed", "n", "what"])
        self.check_served()

    def test_many_errors_make_a_valid_problem(self):
        query = "&".join(f"name{i}={i}" for i in range(500))
        self.check_problem(self.ask("GET", f"/v1/masks?{query}"), 400)
        self.check_served()

    def test_any_byte_in_a_name_or_a_value_makes_a_valid_problem(self):
        for code in range(1, 256):
            for query in f"seed=%{code:02x}A", f"%{code:02x}A=1":
                with self.subTest(query=query):
                    answer = self.ask("GET", f"/v1/masks?shape=3&{query}")
                    self.check_problem(answer, 400)
        self.check_served()


def needed_with(pair):
    """What an otherwise good request needs beside a parameter."""
    return {"layout=none": ("parts=pairing",)}.get(pair, ())


class Combinations(OneConnection):
    # The largest mask needs memory for each thread: as many threads as there are cores may need more than there is.
    arguments = "--drain", "0", "--threads", "2", "--memory", "4G"

    def test_lambda_with_alpha_is_400_and_named(self):
        for resource in RESOURCES:
            for pairs in (("lambda=0.5", "alpha=1"), ("alpha=2", "lambda=1")):
                with self.subTest(path=resource.path, pairs=pairs):
                    self.check_refused(self.ask_resource(resource, *pairs),
                                       "lambda", "alpha")

    def test_a_list_of_alpha_has_a_number_for_each_method_or_one_for_all(self):
        for resource in RESOURCES:
            self.check_refused(self.ask_resource(resource, "alpha=1,2"), "alpha", "1 method",
                               "one for each")
            for alpha in ",1", "1,", "1,,1", "1,0.001", ",".join("1" * 9):
                self.check_refused(self.ask_resource(resource, f"alpha={alpha}"), "alpha",
                                   shown(alpha), "one to 8", "0.01 to 1000")
        self.assertEqual(self.ask_resource(RESOURCES[1], "alpha=1,2", "method=fmix,mixup").status, 200)

    def test_masks_of_mixup_are_400_and_told_what_has_masks(self):
        self.check_refused(self.ask_resource(MASKS_NPY, "method=mixup"),
                           "method", "'mixup'", "fmix", "cutmix")

    def test_a_last_index_past_64_bits_is_400_and_named(self):
        for index, n in (LAST, 2), (LAST - 1, 3), (LAST - 9, MOST_ROWS):
            with self.subTest(index=index, n=n):
                answer = self.ask_resource(MASKS_NPY, f"index={index}",
                                           f"n={n}")
                self.check_refused(answer, "index", "2^64-1")

    def test_a_mixed_batch_past_the_last_index_is_400_and_named(self):
        self.check_refused(self.mix(BODY, f"index={LAST}"), "index", "2^64-1")
        self.check_refused(self.mix(BODY, f"index={LAST}&step=1"), "index",
                           "2^64-1")

    def test_the_last_index_itself_is_served(self):
        target = MASKS_NPY.target(f"index={LAST - 2}", "n=3")
        self.assertEqual(self.ask("GET", target).status, 200)
        self.assertEqual(self.mix(BODY, f"index={LAST - 1}").status, 200)

    def test_a_step_whose_rows_pass_64_bits_is_400_and_named(self):
        three = write_npy(np.zeros((3, 2), np.uint8))
        for body, step in ((BODY, 2**63), (BODY, LAST), (three, LAST // 3),
                           (three, LAST // 3 + 1)):
            with self.subTest(step=step):
                self.check_refused(self.mix(body, f"step={step}"), "step",
                                   "2^64-1")

    def test_the_last_step_itself_is_served(self):
        self.assertEqual(self.mix(BODY, f"step={2**63 - 1}").status, 200)
        self.assertEqual(self.mix(BODY, f"step={LAST}&index=0").status, 200)

    def test_too_many_elements_are_413_and_named(self):
        for shape in (str(MOST_ELEMENTS + 1), "4096x4097", "65536x65536",
                      f"{2**32}x{2**32}", f"{LAST}x{LAST}x{LAST}", str(LAST),
                      f"1x{2**32 + 1}x1", "2097152x2097152x2097152"):
            with self.subTest(shape=shape):
                answer = self.ask_resource(MASKS_NPY, f"shape={shape}")
                self.check_refused(answer, "shape", str(MOST_ELEMENTS),
                                   status=413)

    def test_exactly_the_most_elements_are_offered(self):
        for shape in str(MOST_ELEMENTS), "4096x4096", "256x256x256":
            with self.subTest(shape=shape):
                target = MASKS_NPY.target(f"shape={shape}")
                self.assertEqual(self.ask("HEAD", target).status, 200)

    def test_two_parts_in_a_format_of_one_are_400_and_named(self):
        for suffix in "npy", "raw":
            for parts in "mixed,masks", ",".join(PARTS):
                with self.subTest(suffix=suffix, parts=parts):
                    answer = self.mix(BODY, f"parts={parts}", suffix=suffix)
                    self.check_refused(answer, "parts", suffix, "json")


class Targets(OneConnection):
    def test_an_unknown_path_is_404_and_told_what_there_is(self):
        for path in ("/v1", "/v1/", "/v1/mask", "/v1/masksx", "/v1/masks/",
                     "/v1/masks/npy", "/V1/masks", "//v1/masks", "/v2/masks",
                     "/v1/./masks", "/v1/x/../masks", "/livez/", "/livez.npy",
                     "/Livez", "/favicon.ico", "/v1/masks%20", "/v1/%6dasks2",
                     "/" + "a" * 3000):
            with self.subTest(path=path[:40]):
                self.check_explained(self.ask("GET", f"{path}?shape=3"), 404,
                                     "/v1/masks", "/v1/mix", "/livez")

    def test_an_encoded_slash_is_no_slash(self):
        for path in "/v1%2Fmasks", "/v1%2fmasks.npy", "/%2Fv1/masks":
            with self.subTest(path=path):
                self.check_explained(self.ask("GET", f"{path}?shape=3"), 404)

    def test_an_unknown_suffix_is_404_and_told_the_formats(self):
        formats = {"/v1/masks": ("npy", "raw", "json", "png"),
                   "/v1/mix": ("npy", "raw", "json", "png")}
        for path, names in formats.items():
            for suffix in "bmp", "", "npy.gz", "NPY", "np", "npyx":
                with self.subTest(path=path, suffix=suffix):
                    answer = self.ask("GET", f"{path}.{suffix}?shape=3")
                    self.check_explained(answer, 404, f"'{suffix}'", *names)

    def test_a_picture_of_a_plan_is_404_and_told_the_formats(self):
        answer = self.ask("GET", "/v1/plans.png?shape=3")
        errors = self.check_problem(answer, 404)
        self.assertNotIn("image/png", errors[0]["detail"])
        self.check_served()

    def test_an_encoded_nul_is_400_wherever_it_stands(self):
        for target in ("/v1/masks%00?shape=3", "/v1/masks%00.npy?shape=3",
                       "/v1/masks.npy%00?shape=3", "/%00", "/livez%00",
                       "/v1/masks?shape=3&se%00ed=1", "/v1/masks?%00=1",
                       "/v1/masks?shape=3%00", "/v1/masks?shape=%003",
                       "/v1/masks?shape=3&seed=1%002", "/livez?%00"):
            with self.subTest(target=target):
                self.check_explained(self.ask("GET", target), 400, "NUL")

    def test_a_value_with_an_encoded_nul_is_named(self):
        for resource, parameter in each_parameter():
            pair = f"{parameter.name}={parameter.good[0]}%00"
            with self.subTest(path=resource.path, pair=pair):
                self.check_refused(self.ask_resource(resource, pair),
                                   parameter.name, "NUL")

    def test_a_nul_encoded_twice_is_text(self):
        self.check_refused(self.ask_resource(MASKS_NPY, "seed=%2500"), "seed",
                           "'%00'")


class Methods(OneConnection):
    allowed = {"/v1/masks": {"GET", "HEAD", "OPTIONS"}, "/v1/masks.npy": {"GET", "HEAD", "OPTIONS"},
               "/v1/mix": {"POST", "OPTIONS"}, "/v1/mix.json": {"POST", "OPTIONS"},
               "/livez": {"GET", "HEAD", "OPTIONS"}, "/readyz": {"GET", "HEAD", "OPTIONS"},
               "/startupz": {"GET", "HEAD", "OPTIONS"}, "/metrics": {"GET", "HEAD", "OPTIONS"},
               "/version": {"GET", "HEAD", "OPTIONS"}}

    def check_not_allowed(self, method, path):
        body = BODY if method in ("POST", "PUT", "PATCH") else None
        answer = self.ask(method, f"{path}?shape=3", body)
        self.assertEqual(answer.status, 405)
        self.assertEqual(set(answer.headers["Allow"].split(", ")),
                         self.allowed[path])
        if method != "HEAD":
            self.check_problem(answer, 405)
        self.check_served()

    def test_a_wrong_method_is_405_with_those_allowed(self):
        for path, allowed in self.allowed.items():
            for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH",
                           "OPTIONS", "FMIX", "get"} - allowed:
                with self.subTest(path=path, method=method):
                    self.check_not_allowed(method, path)

    def test_head_is_allowed_wherever_get_is(self):
        for path, allowed in self.allowed.items():
            if "HEAD" in allowed:
                query = "?shape=3" if path.startswith("/v1/masks") else ""
                with self.subTest(path=path):
                    answer = self.ask("HEAD", path + query)
                    self.assertEqual((answer.status, answer.body), (200, b""))
                    self.check_served()


class MediaTypes(OneConnection):
    def test_an_accept_that_cannot_be_met_is_406_and_told_the_formats(self):
        for accept in ("text/html", "image/jpeg", "application/x-tar",
                       "text/*", "*/*;q=0", "application/x-npyx",
                       "text/html, image/webp",
                       "image/png;q=0", "application/json;q=0.000"):
            with self.subTest(accept=accept):
                answer = self.ask("GET", "/v1/masks?shape=3", None,
                                  {"Accept": accept})
                self.check_refused(answer, "Accept", "application/x-npy",
                                   "application/octet-stream",
                                   "application/json", "image/png", status=406)

    def test_a_plan_cannot_be_a_picture(self):
        answer = self.ask("GET", "/v1/plans?shape=3", None,
                          {"Accept": "image/png"})
        self.check_refused(answer, "Accept", "application/x-npy", status=406)

    def test_a_content_type_that_is_not_read_is_415_and_told_what_is(self):
        for content_type in ("text/plain", "image/webp", "application/json", "npy", "*/*",
                             "application/x-tar", "application/x-npyx"):
            with self.subTest(content_type=content_type):
                answer = self.mix(BODY, content_type=content_type)
                self.check_refused(answer, "Content-Type", content_type,
                                   "application/x-npy",
                                   "application/octet-stream", status=415)

    def test_raw_elements_that_begin_as_a_picture_does_are_mixed(self):
        for body in (b"\xff\xd8\xff\xe0" + bytes(44), b"\x89PNG\r\n\x1a\n" + bytes(40)):
            answer = self.ask("POST", "/v1/mix.raw?layout=none&x_shape=1x48&x_dtype=u8", body,
                              {"Content-Type": "application/octet-stream"})
            self.assertEqual((answer.status, answer.body), (200, body))


if __name__ == "__main__":
    unittest.main()
