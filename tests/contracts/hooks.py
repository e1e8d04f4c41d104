"""What Schemathesis has to be told of souk's servers."""

import json

import schemathesis
import urllib3.util
from hypothesis.internal import lambda_sources
from schemathesis.specs.openapi import checks

# CPython 3.11 loses count of its recursion where the source of a lambda is read deep in a stack
# (https://github.com/python/cpython/issues/106905). The source is only shown in messages.
lambda_sources.lambda_description = lambda function: "a lambda"


@schemathesis.hook
def filter_headers(context, headers):
    """A text by which urllib3 is told to leave a header out is drawn once in a while, and can't be sent."""
    return urllib3.util.SKIP_HEADER not in (headers or {}).values()


@schemathesis.serializer("application/x-ndjson")
def ndjson(context, value):
    """A bulk write has a value on each line: the drawn one, and one that is surely wrong."""
    if isinstance(value, bytes):
        return value
    return (json.dumps(value) + "\n" + '{"another": "line"}\n').encode()


# A bulk write and a report answer for each line, so that one which the document forbids is refused in an answer that is no
# refusal. The setting of Schemathesis for single operations was seen to be passed over once in some thousand requests.
rejects = checks._openapi_negative_data_rejection


def rejects_as_a_whole(context, response, case):
    path = case.operation.path
    return None if path.endswith("/bulk") or path == "/v1/insights" else rejects(context, response, case)


checks._openapi_negative_data_rejection = rejects_as_a_whole
