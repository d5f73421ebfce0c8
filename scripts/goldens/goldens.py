"""Prints the golden values: every case of `cases.py`, asked of its library. One case a line."""
import json, sys

from cases import CASES, COMPOSED
from libraries import LIBRARIES, version

NAMES = {"compat", "per"}


def numbers(values):
    for value in values:
        if not (value == value and abs(value) < 1e300):
            sys.exit(f"not a finite rate: {value}")
    return values


lines = []
for case in CASES:
    library, name = case["use"].split(".")
    ask, package = LIBRARIES[library]
    theirs = {key: value for key, value in case["arguments"].items() if key not in NAMES}
    at = case.get("at") or range(case.get("steps", 1))
    values = ask(name, case.get("peak"), theirs, at, case.get("metrics"))
    case = {"library": version(package) if package else case["use"].split(".")[0], **case, "values": numbers(values)}
    lines.append(json.dumps(case, separators=(",", ":")))
for line, library, ask, steps in COMPOSED:
    case = {"library": version(library), "line": line, "steps": steps, "values": numbers(ask(range(steps)))}
    lines.append(json.dumps(case, separators=(",", ":")))
print("[\n" + ",\n".join(lines) + "\n]")
