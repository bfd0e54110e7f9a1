-- A request of so many bytes: BYTES, PATH_ and STREAM from the environment; the prompt differs by its first characters.
local bytes = tonumber(os.getenv("BYTES") or "1024")
local path = os.getenv("PATH_") or "/v1/chat/completions"
local stream = os.getenv("STREAM") == "1" and ',"stream":true' or ""
local head = path == "/v1/completions" and '{"model":"m","max_tokens":64' .. stream .. ',"prompt":"'
  or '{"model":"m","max_tokens":64' .. stream .. ',"messages":[{"role":"user","content":"'
local tail = path == "/v1/completions" and '"}' or '"}]}'
local text = string.rep("the quick brown fox jumps over the lazy dog ", math.ceil(bytes / 44))
wrk.method = "POST"
wrk.path = path
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("KEY") or "none")
wrk.body = head .. string.sub(text, 1, math.max(1, bytes - #head - #tail)) .. tail
