"""Rules for the monitoring itself."""

from __future__ import annotations

from alerts.model import Alert, Group, external_label
from alerts.objectives import (
    MINUTE,
    RESTART_WINDOW,
    RESTARTS_TOLERATED,
    SHORTEST_SUPERVISOR,
    SUPERVISOR_SECONDS,
)
from alerts.services import down, grown
from observability.catalog import INSTANCE, LOG_DROPPED, SERVICE, TRACE_SPANS, Label
from observability.conventions import (
    HEARTBEAT,
    MONITORING_TARGETS,
    OPTIONAL_TARGETS,
    PROBE_JOB,
    PROBED_SERVICES,
    RUNBOOKS,
)
from observability.dashboard_uids import Board
from observability.exporters import (
    ALERTMANAGER_LOADED,
    COMPONENT,
    COMPONENT_RESTARTS,
    CONFIG_LOADED,
    NOTIFICATION_ERRORS,
    NOTIFICATION_FAILURES,
    PROBE_SUCCESS,
    PROMTAIL_DROPPED,
    RESTARTS_FILE,
    RULE_FAILURES,
    TEXTFILE_TIME,
    UP,
)
from observability.promql.builders import (
    NOW,
    absent,
    aggregate,
    increase,
    matches,
    moment,
    select,
    total,
)
from observability.promql.expr import Expr
from observability.time_scale import TimeScale


def _down_or_unprobed() -> Expr:
    """Return monitoring components that are down, and services without a probe."""
    expr = down(MONITORING_TARGETS)
    expr = expr | select(PROBE_SUCCESS, service=matches("|".join(MONITORING_TARGETS))).equals(0)
    expr = expr | select(UP, job=matches("|".join(OPTIONAL_TARGETS))).equals(0)
    for service in PROBED_SERVICES:
        expr = expr | absent(UP, job=PROBE_JOB, service=service)
    return expr


def alerts(scale: TimeScale) -> Group:
    """Return the alerts: tickets rather than pages, as users notice none of these."""
    minute = scale.window(MINUTE)
    restarts = increase(COMPONENT_RESTARTS, scale.window(RESTART_WINDOW))
    return Group(
        "minitwit-monitoring",
        (
            Alert(
                "Watchdog",
                # Time of the newest sample: on a full disk it stands still, as does the heartbeat.
                aggregate("max", moment(UP)),
                for_=0,
                severity="none",
                service="prometheus",
                summary="This alert always fires, to prove that alerts arrive.",
                impact="nobody",
                description="Nothing is wrong. If this stops arriving, so does every other alert.",
                annotations={HEARTBEAT: '{{ printf "%.3f" $value }}'},
                labels={RUNBOOKS: external_label(RUNBOOKS)},  # for dashboards; it is not sent
            ),
            Alert(
                "MiniTwitMonitorDown",
                grown(_down_or_unprobed(), scale),
                for_=10,
                severity="warning",
                summary="A component of the monitoring is down.",
                impact="operators: they see less",
                description="Prometheus cannot scrape {{ $labels.job }}"
                "{{ with $labels.instance }} at {{ . }}"
                "{{ else }} for {{ $labels.service }}: it is not a target{{ end }}.",
            ),
            Alert(
                "MiniTwitRuleEvaluationFailing",
                total(increase(RULE_FAILURES, minute), Label("rule_group")) > 0,
                for_=10,
                severity="warning",
                service="prometheus",
                summary="Prometheus cannot evaluate some of its rules.",
                impact="operators: some alerts are blind",
                description='{{ printf "%.0f" $value }} evaluations in {{ $labels.rule_group }} '
                "failed within a minute; the limit is none.",
            ),
            Alert(
                "MiniTwitAlertmanagerUnreachable",
                total(increase(NOTIFICATION_ERRORS, minute), Label("alertmanager")) > 0,
                for_=10,
                severity="warning",
                service="alertmanager",
                summary="Prometheus cannot send alerts to Alertmanager.",
                impact="operators: alerts do not arrive",
                description='{{ printf "%.0f" $value }} alerts could not be sent to '
                "{{ $labels.alertmanager }} within a minute; the limit is none.",
                keep_firing_for=5 * MINUTE,  # so that it is still firing when Alertmanager is back
            ),
            Alert(
                "MiniTwitNotificationsFailing",
                total(increase(NOTIFICATION_FAILURES, minute), Label("integration")) > 0,
                for_=10,
                severity="warning",
                service="alertmanager",
                summary="Alertmanager cannot deliver notifications.",
                impact="operators: notifications do not arrive",
                description='{{ printf "%.0f" $value }} messages by {{ $labels.integration }} '
                "failed within a minute; the limit is none.",
                keep_firing_for=5 * MINUTE,  # so that it is still firing when delivery works again
            ),
            Alert(
                "MiniTwitReloadFailed",
                select(CONFIG_LOADED).equals(0) | select(ALERTMANAGER_LOADED).equals(0),
                for_=10,
                severity="warning",
                summary="A configuration reload failed.",
                impact="operators: a change has no effect",
                description="{{ $labels.service }} at {{ $labels.instance }} keeps its old "
                "configuration.",
                board=Board.MONITORING,
            ),
            Alert(
                "MiniTwitPromtailDropping",
                total(increase(PROMTAIL_DROPPED, minute), INSTANCE, Label("reason")) > 0,
                for_=10,
                severity="warning",
                service="promtail",
                summary="Promtail drops log lines.",
                impact="operators: log lines are missing",
                description='Promtail at {{ $labels.instance }} dropped {{ printf "%.0f" $value }} '
                "lines within a minute ({{ $labels.reason }}); the limit is none.",
                board=Board.LOGS,
                keep_firing_for=5 * MINUTE,
            ),
            Alert(
                "MiniTwitTelemetryDropped",
                (total(increase(LOG_DROPPED, minute), SERVICE, Label("sink")) > 0)
                | (total(increase(TRACE_SPANS, minute, outcome="dropped"), SERVICE) > 0),
                for_=10,
                severity="warning",
                summary="A service drops log lines or spans.",
                impact="operators: log lines or spans are missing",
                description='{{ $labels.service }} dropped {{ printf "%.0f" $value }} '
                "{{ with $labels.sink }}log lines for its {{ . }}{{ else }}spans{{ end }} "
                "within a minute; the limit is none.",
                board=Board.LOGS,
            ),
            Alert(
                "MiniTwitComponentRestarting",
                # increase() extrapolates: two restarts may read 2.03.
                total(restarts, COMPONENT) > RESTARTS_TOLERATED + 0.5,
                for_=10,
                severity="warning",
                service="{{ $labels.component }}",
                summary="A component restarts again and again.",
                impact="users of it, for seconds at each restart",
                description='{{ $labels.component }} was started again {{ printf "%.0f" $value }} '
                f"times within {RESTART_WINDOW // 60} minutes; the limit is {RESTARTS_TOLERATED}.",
            ),
            Alert(
                "MiniTwitSupervisorDown",
                # Containers have no supervisor and no such file: there this never fires.
                NOW - select(TEXTFILE_TIME, file=matches(f".*{RESTARTS_FILE}"))
                > max(scale.max_age(SUPERVISOR_SECONDS), SHORTEST_SUPERVISOR),
                for_=10,
                severity="warning",
                service="supervisor",
                summary="The supervisor is down.",
                impact="nobody yet; what ends stays down",
                description="The supervisor was last alive {{ $value | humanizeDuration }} ago; "
                f"the limit is {SUPERVISOR_SECONDS} s.",
                board=Board.MONITORING,
            ),
        ),
    )
