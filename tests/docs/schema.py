"""Tells for each document of a list whether it is as a JSON Schema (draft 7) wants it: what is wrong, or an empty list."""

import json
import sys

import jsonschema

given = json.load(sys.stdin)
jsonschema.Draft7Validator.check_schema(given["schema"])
validator = jsonschema.Draft7Validator(given["schema"])
json.dump([[error.json_path for error in validator.iter_errors(document)] for document in given["documents"]], sys.stdout)
