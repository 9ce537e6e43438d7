"""Expressions come out as meant, and every mistake fails with a sentence that names it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from observability.catalog import (
    DB_POOL_WAITING,
    HTTP_DURATION,
    HTTP_IN_PROGRESS,
    HTTP_REQUESTS,
    MESSAGES,
    ROUTE,
    SERVICE,
    STATUS,
)
from observability.promql.builders import (
    NOW,
    absent,
    differs,
    increase,
    matches,
    quantile,
    rate,
    ratio,
    select,
    total,
)
from observability.promql.expr import Expr, ExprError

REQUESTS = "minitwit_http_requests_total"
BUCKETS = "minitwit_http_request_duration_seconds_bucket"


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (select(HTTP_REQUESTS), REQUESTS),
        (
            rate(HTTP_REQUESTS, "1m", service="api", status=matches("5..")),
            f'rate({REQUESTS}{{service="api",status=~"5.."}}[1m])',
        ),
        (rate(HTTP_REQUESTS), f"rate({REQUESTS}[$__rate_interval])"),
        (increase(HTTP_REQUESTS, "5m"), f"increase({REQUESTS}[5m])"),
        (total(select(HTTP_REQUESTS)), f"sum({REQUESTS})"),
        (total(select(HTTP_REQUESTS), SERVICE, ROUTE), f"sum by (service, route) ({REQUESTS})"),
        (
            quantile(0.95, HTTP_DURATION, ROUTE),
            f"histogram_quantile(0.95, sum by (le, route) (rate({BUCKETS}[$__rate_interval])))",
        ),
        (select(HTTP_DURATION, "bucket", le="0.3"), f'{BUCKETS}{{le="0.3"}}'),
        (NOW - (select(HTTP_IN_PROGRESS) > 0), "time() - (minitwit_http_requests_in_progress > 0)"),
        (
            select(HTTP_REQUESTS).equals(0) | select(HTTP_REQUESTS) | select(HTTP_REQUESTS),
            f"({REQUESTS} == 0) or {REQUESTS} or {REQUESTS}",
        ),
        (
            (select(HTTP_REQUESTS) | select(HTTP_REQUESTS)) & select(HTTP_REQUESTS),
            f"({REQUESTS} or {REQUESTS}) and {REQUESTS}",
        ),
        (
            ratio(select(HTTP_REQUESTS, status="500"), select(HTTP_REQUESTS)),
            f'({REQUESTS}{{status="500"}} or (0 * {REQUESTS})) / {REQUESTS}',
        ),
        (absent(HTTP_REQUESTS, service="api"), f'absent({REQUESTS}{{service="api"}})'),
        (select(HTTP_REQUESTS) > 0.05 / 3, f"{REQUESTS} > 0.0166666666667"),
    ],
)
def test_text(expr: Expr, text: str) -> None:
    assert str(expr) == text


@pytest.mark.parametrize(
    ("mistake", "complaint"),
    [
        (lambda: rate(HTTP_REQUESTS, user="x"), "has no label 'user'"),
        (lambda: rate(HTTP_IN_PROGRESS), "which is a gauge"),
        (lambda: select(HTTP_DURATION), "is a histogram: no part ''"),
        (lambda: select(HTTP_REQUESTS, "bucket"), "is a counter: no part 'bucket'"),
        (lambda: select(HTTP_DURATION, "bucket", le="0.25"), "is never '0.25'"),
        (lambda: select(HTTP_DURATION, "count", le="0.3"), "has no label 'le'"),
        (lambda: select(MESSAGES, outcome="okay"), "is never 'okay'"),
        (lambda: select(MESSAGES, outcome=differs("okay")), "is never 'okay'"),
        (lambda: select(MESSAGES, outcome=matches("o.k")), "is never 'o.k'"),
        (lambda: select(DB_POOL_WAITING, service="web"), "is never 'web'"),
        (lambda: total(select(HTTP_IN_PROGRESS), ROUTE), "no label route"),
        (lambda: total(select(HTTP_REQUESTS), STATUS) / select(HTTP_REQUESTS), "never match"),
        (lambda: absent(HTTP_REQUESTS, shop="x"), "has no label 'shop'"),
    ],
)
def test_mistakes(mistake: Callable[[], Expr], complaint: str) -> None:
    with pytest.raises(ExprError, match=complaint):
        mistake()


def test_a_variable_stands_for_any_value() -> None:
    assert "$service" in str(select(MESSAGES, service=matches("$service")))


def test_only_buckets_carry_exemplars() -> None:
    assert quantile(0.5, HTTP_DURATION, ROUTE).exemplars
    assert not rate(HTTP_DURATION, "1m", "count").exemplars
