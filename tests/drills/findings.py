"""What the first look of a runbook must find in each drill: data only.

By drill, page and the beginning of the question before a block: the labels or columns that a
sample, row or line must have, as regular expressions; ``line`` is the text of a line.
"""

from __future__ import annotations

Expected = dict[str, str]
SMALL = "{small}"  # stands for the mount point of the small disk
DOWN = "Which target is down?"
HOLDER = "Does a session hold a lock"

LOCKED: dict[str, dict[str, Expected]] = {
    "MiniTwitProbeFailing": {
        "Which probe fails?": {"service": "api"},
        "What goes wrong inside?": {"event": "db_error"},
    },
    "MiniTwitDatabaseErrors": {
        "Which kind of error?": {"kind": "timeout|pool_exhausted"},
        "What does PostgreSQL say?": {"line": "timeout"},
    },
    "MiniTwitDatabaseSlow": {
        "Which statements are slow": {"query": ".+"},
        HOLDER: {"application_name": "drill"},
        "Otherwise: what runs for longest?": {"wait_event_type": "Lock"},
    },
}

FINDINGS: dict[str, dict[str, dict[str, Expected]]] = {
    "api-stopped": {
        "MiniTwitTargetDown": {
            DOWN: {"job": "api"},
            "Do the probes": {"service": "api"},
            "What were its last lines?": {"line": "shutdown"},
        }
    },
    "web-stopped": {
        "MiniTwitTargetDown": {DOWN: {"job": "web"}, "Do the probes": {"service": "web"}}
    },
    "database-stopped": {
        "MiniTwitDatabaseDown": {
            "Does the exporter": {},
            "Do the statements of": {"kind": "unavailable"},
            "What does `api` say": {"event": "db_error"},
        }
    },
    "database-hanging": {
        "MiniTwitDatabaseDown": {"Does the exporter": {}, "What does `api` say": {}}
    },
    "locked": LOCKED,
    "follows-locked": LOCKED,
    "posts-refused": {
        "MiniTwitErrorRatio": {
            "Which route fails": {"service": "api", "route": "/msgs/{username}", "status": "500"},
            "Is it the database?": {"kind": "statement"},
            "What do the log lines say?": {"event": "db_error"},
        }
    },
    "disk": {
        "MiniTwitDiskFull": {
            "Which disk": {"mountpoint": SMALL},
            "Are log lines dropped?": {"service": "api", "sink": "file"},
        },
        "MiniTwitTelemetryDropped": {
            "Which sink": {"service": "api", "sink": "file"},
            "Is a disk full?": {"mountpoint": SMALL},
        },
    },
    "pool": {
        "MiniTwitPoolExhausted": {
            "How many requests wait": {},
            HOLDER: {"application_name": "drill"},
        }
    },
    "errors-logged": {
        "MiniTwitErrorsLogged": {
            "Which service": {"service": "api"},
            "What are they about?": {"event": "db_error"},
        }
    },
    "read-only": {"MiniTwitProbeFailing": {"Which probe fails?": {"service": "api"}}},
    "read-only-unprobed": {
        "MiniTwitNoPosts": {
            "With which status": {"status": "5.."},
            "Does the database refuse": {"kind": "unavailable"},
            "Does PostgreSQL take writes?": {"read_only": "on"},
        }
    },
    "disconnected": {
        "MiniTwitDatabaseErrors": {
            "Which kind of error?": {"kind": ".+"},
            "What does PostgreSQL say?": {"event": "db_error"},
        }
    },
    "connections": {
        "MiniTwitConnectionsNearLimit": {
            "What share": {},
            "Who holds them?": {"application_name": "drill"},
        }
    },
    "no-backup": {"MiniTwitBackupTooOld": {"How many hours": {}}},
    "crowd": {"MiniTwitHashingQueue": {"How many, on which replica?": {"service": "api"}}},
    "duplicates": {
        "MiniTwitRegistrationsFailing": {
            "How do the attempts end?": {"outcome": "username_taken"},
            "What do the lines say?": {"event": "invalid_request"},
        }
    },
    "brute-force": {
        "MiniTwitLoginAttack": {
            "How do the attempts end?": {"outcome": "unknown_user|throttled"},
            "The log-ins that were refused": {"line": "/api/sessions"},
        }
    },
    "garbage": {
        "MiniTwitInvalidRequests": {
            "Which route?": {"route": "/fllws/{username}"},
            "Why are they refused?": {"event": "invalid_request"},
        }
    },
    "starved": {"MiniTwitEventLoopLag": {"Which replica": {"service": "api"}}},
    "memory": {"MiniTwitMemoryHigh": {"Which replica": {"service": "api"}}},
    "disk-filling": {"MiniTwitDiskFilling": {"Which disk": {"mountpoint": SMALL}}},
    "simulator-stopped": {"MiniTwitSimulatorStalled": {"For how many seconds?": {}}},
    "certificate": {"MiniTwitCertificateExpiring": {"Which address": {"probe": "certificate"}}},
    "restarts": {"MiniTwitComponentRestarting": {"Which component": {"component": "blackbox"}}},
    "alertmanager-stopped": {
        "MiniTwitAlertmanagerUnreachable": {"Is it up?": {"job": "alertmanager"}}
    },
    "relay-stopped": {
        "MiniTwitNotificationsFailing": {"Which receiver": {"integration": "webhook"}}
    },
    "node-stopped": {"MiniTwitMonitorDown": {"Which part does not answer?": {"job": "node"}}},
    "loki-stopped": {"MiniTwitMonitorDown": {"Which part does not answer?": {"job": "loki"}}},
    "old-lines": {"MiniTwitPromtailDropping": {"How many": {"reason": ".+"}}},
    "broken-rule": {"MiniTwitRuleEvaluationFailing": {"Which group?": {"rule_group": "drill"}}},
    "bad-configuration": {"MiniTwitReloadFailed": {"Is it Prometheus?": {"job": "prometheus"}}},
}
# Of these the query under "Verify" is tried too. It waits for ranges of a minute and more.
VERIFIED = {
    "api-stopped", "web-stopped", "database-stopped", "database-hanging", "locked",
    "follows-locked", "posts-refused", "disk",
}  # fmt: skip
