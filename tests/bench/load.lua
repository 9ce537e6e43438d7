-- What wrk sends: METHOD AUTHORIZATION BODY PATH…, the paths in turn; the figures as JSON.
local requests, turn = {}, 0

function init(arguments)
  local method, authorization, body = arguments[1], arguments[2], arguments[3]
  local headers = { ["Authorization"] = authorization, ["Content-Type"] = "application/json" }
  for number = 4, #arguments do
    local content = body ~= "" and body or nil
    requests[#requests + 1] = wrk.format(method, arguments[number], headers, content)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "refused": %d, "lost": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
