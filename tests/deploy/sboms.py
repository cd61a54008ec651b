"""What an SBOM in SPDX 2.3's JSON has to have, and what dpkg knows of a root, read without dpkg."""

import ast
import hashlib
import re

DOCUMENT = {"spdxVersion": r"SPDX-2\.3", "dataLicense": r"CC0-1\.0", "SPDXID": "SPDXRef-DOCUMENT",
            "name": ".+", "documentNamespace": r"[a-z]+:[^#\s]+"}
INFORMATION = {"created": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"}
CREATOR = r"(Person|Organization|Tool): \S.*"
ELEMENT = {"SPDXID": r"SPDXRef-[A-Za-z0-9.-]+"}
PACKAGE = {**ELEMENT, "name": ".+", "downloadLocation": r"NOASSERTION|NONE|[a-z+]+:\S+"}
FILE = {**ELEMENT, "fileName": r"\./\S+"}
RELATION = {"spdxElementId": "SPDXRef-.+", "relatedSpdxElement": "SPDXRef-.+", "relationshipType":
            "DESCRIBES|CONTAINS|GENERATED_FROM|STATIC_LINK|EXPANDED_FROM_ARCHIVE"}
EXTRACTED = {"licenseId": r"LicenseRef-[A-Za-z0-9.-]+", "extractedText": r"(?s)\s*\S.*"}
DIGITS = {"SHA1": 40, "SHA256": 64}
LICENSE = r"[A-Za-z0-9][A-Za-z0-9.-]*"


def lacking(where, element, fields):
    """What an element lacks of fields that have to match patterns."""
    return [f"{where}: {name}: {element.get(name)!r}" for name, pattern in fields.items()
            if not isinstance(element.get(name), str) or not re.fullmatch(pattern, element[name])]


def licenses(expression):
    """The licences of an expression; ValueError if it is not one."""
    names = re.sub(rf"{LICENSE}", lambda found: found[0].lower() if found[0] in ("AND", "OR")
                   else "x", expression)
    try:
        ast.parse(names, mode="eval")
    except SyntaxError as error:
        raise ValueError(expression) from error
    return set(re.findall(LICENSE, expression)) - {"AND", "OR"}


def problems(document):
    """What is wrong with a document, as sentences."""
    information = document.get("creationInfo", {})
    wrong = lacking("document", document, DOCUMENT) + lacking("creationInfo", information, INFORMATION)
    creators = information.get("creators", [])
    if not creators or not all(re.fullmatch(CREATOR, creator) for creator in creators):
        wrong.append(f"creators: {creators}")
    for kind, fields in (("packages", PACKAGE), ("files", FILE), ("relationships", RELATION),
                         ("hasExtractedLicensingInfos", EXTRACTED)):
        if not document.get(kind):
            wrong.append(f"{kind}: none")
        for element in document.get(kind, []):
            wrong += lacking(kind, element, fields)
    return wrong or (identifier_problems(document) + verification_problems(document)
                     + license_problems(document))


def identifier_problems(document):
    """Identifiers are unique, and relationships name some."""
    named = [element["SPDXID"] for element in (document, *document["packages"], *document["files"])]
    ends = {relation[end] for relation in document["relationships"]
            for end in ("spdxElementId", "relatedSpdxElement")}
    wrong = [f"twice: {name}" for name in set(named) if named.count(name) > 1]
    return wrong + [f"not there: {name}" for name in ends - set(named)]


def verification_problems(document):
    """Files have sums, and a package whose files were analysed has the code over its files' SHA1."""
    wrong = []
    sums = {element["SPDXID"]: {each["algorithm"]: each["checksumValue"]
                                for each in element.get("checksums", ())} for element in document["files"]}
    for name, found in sums.items():
        if {kind: len(value) for kind, value in found.items()} != DIGITS:
            wrong.append(f"checksums: {name}: {found}")
    for package in document["packages"]:
        held = [relation["relatedSpdxElement"] for relation in document["relationships"]
                if relation["relationshipType"] == "CONTAINS"
                and relation["spdxElementId"] == package["SPDXID"]]
        code = None
        if package.get("filesAnalyzed", True):
            joined = "".join(sorted(sums[name].get("SHA1", "") for name in held))
            code = hashlib.sha1(joined.encode()).hexdigest()
        elif held:
            wrong.append(f"holds files that were not analysed: {package['name']}")
        if package.get("packageVerificationCode", {}).get("packageVerificationCodeValue") != code:
            wrong.append(f"packageVerificationCode: {package['name']}")
    return wrong


def license_problems(document):
    """Expressions can be read, and each LicenseRef in them has its text."""
    wrong, used = [], set()
    for package in document["packages"]:
        for field in ("licenseConcluded", "licenseDeclared"):
            try:
                used |= licenses(package.get(field, "NOASSERTION"))
            except ValueError as error:
                wrong.append(f"{field} of {package['name']}: {error}")
    given = {element["licenseId"] for element in document["hasExtractedLicensingInfos"]}
    return wrong + sorted({name for name in used if name.startswith("LicenseRef-")} ^ given)


def owners(root):
    """The package that each path of a root is from."""
    found = {}
    for listed in (root / "var/lib/dpkg/info").glob("*.list"):
        name = listed.stem.split(":")[0]
        found.update(dict.fromkeys(listed.read_text().splitlines(), name))
    return found


def versions(root):
    """The versions of a root's packages, by (name, architecture)."""
    found = {}
    for paragraph in (root / "var/lib/dpkg/status").read_text().split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)", paragraph, re.M))
        if fields.get("Status", "").endswith(" installed"):
            found[fields["Package"], fields["Architecture"]] = fields["Version"]
    return found
