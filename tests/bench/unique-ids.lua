-- An MCP call with an id of its own for every request, built the cheap way: one format a request.
local head = '{"jsonrpc":"2.0","id":'
local tail = ',"method":"tools/call","params":{"name":"echo","arguments":{"message":"abcdefghijklmnopqrstuvwxyz012345"}}}'
local id = 1000000000
local headers = { ["content-type"] = "application/json", ["accept"] = "application/json, text/event-stream", ["mcp-protocol-version"] = "2025-11-25" }

request = function()
  id = id + 1
  return wrk.format("POST", nil, headers, head .. id .. tail)
end

done = function(summary)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"failed":%d}\n', summary.requests - e.status, e.connect + e.read + e.write + e.status + e.timeout))
end
