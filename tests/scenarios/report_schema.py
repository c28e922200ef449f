"""The JSON schema of TLS reports, tlsrpt.schema.json beside this file."""

import json
from pathlib import Path

import jsonschema

SCHEMA = json.loads(Path(__file__).with_name("tlsrpt.schema.json").read_text())
_VALIDATOR = jsonschema.Draft202012Validator(SCHEMA,
                                             format_checker=jsonschema.FormatChecker())


def errors(report: object) -> list[str]:
    """What is wrong with a report; [] for nothing."""
    return [f"{error.json_path}: {error.message}" for error in _VALIDATOR.iter_errors(report)]
