-- For wrk: sends requests of a list, chosen at random, and reports in one line of JSON.
-- Usage: wrk -s requests.lua URL -- LIST
-- A line of the list is a method, the value of Cookie, and a body, with tabs between them.

local requests = {}

function init(arguments)
    for line in io.lines(arguments[1]) do
        local method, cookie, body = line:match("^(%u+)\t([^\t]*)\t(.*)$")
        local headers = {}
        if cookie ~= "" then
            headers["Cookie"] = cookie
        end
        if body ~= "" then
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        else
            body = nil
        end
        requests[#requests + 1] = wrk.format(method, nil, headers, body)
    end
    math.randomseed(os.time())
end

function request()
    return requests[math.random(#requests)]
end

-- Answers of 400 and above count as failed.
function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"seconds":%.6f,"failed":%d,"p50_us":%d,"p99_us":%d,"max_us":%d}\n',
        summary.requests, summary.duration / 1e6,
        errors.status + errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99), latency.max))
end
