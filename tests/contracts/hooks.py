"""What Schemathesis has to be told of souk's servers."""

import json

import schemathesis
from hypothesis.internal import lambda_sources

# CPython 3.11 loses count of its recursion where the source of a lambda is read deep in a stack
# (https://github.com/python/cpython/issues/106905). The source is only shown in messages.
lambda_sources.lambda_description = lambda function: "a lambda"


@schemathesis.serializer("application/x-ndjson")
def ndjson(context, value):
    """A bulk write has a value on each line: the drawn one, and one that is surely wrong."""
    if isinstance(value, bytes):
        return value
    return (json.dumps(value) + "\n" + '{"another": "line"}\n').encode()
