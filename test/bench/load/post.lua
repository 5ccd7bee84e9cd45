-- The script for wrk: POST with the body of a file, and a summary as JSON at the end.
-- Arguments: BODY_FILE [AUTHORIZATIONS_FILE [DELAY_MS]]. With authorizations, one a line, each request takes the next of
-- them; with a delay, every connection pauses between an answer and its next request.

local requests
local delay_ms

function init(args)
  wrk.method = "POST"
  wrk.body = read_all(args[1])
  delay_ms = tonumber(args[3])
  if args[2] == nil then return end
  requests = {}
  for authorization in read_all(args[2]):gmatch("[^\n]+") do
    wrk.headers["Authorization"] = authorization
    requests[#requests + 1] = wrk.format()
  end
  local nth = 0
  function request()
    nth = nth % #requests + 1
    return requests[nth]
  end
  -- Its own jitter, so that the connections do not march in step.
  if delay_ms ~= nil then
    function delay() return math.random(0, 2 * delay_ms) end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f,"maxMs":%.3f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency.max / 1e3, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end

function read_all(name)
  local file = assert(io.open(name, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end
