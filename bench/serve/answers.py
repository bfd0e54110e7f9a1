"""The answers of the engine under the benchmark: a chat completion of 1 kB, a stream of 50 chunks, metrics in vLLM's names."""
import json
import os
import sys


def compact(value):
    return json.dumps(value, separators=(",", ":"))


folder = sys.argv[1]
os.makedirs(folder + "/v1/chat", exist_ok=True)
usage = {"prompt_tokens": 240, "completion_tokens": 50, "total_tokens": 290}
text = ("lorem ipsum dolor sit amet " * 28)[:720]
choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
chunk = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m"}
events = [
    chunk | {"choices": [{"index": 0, "text": f" word{i}", "logprobs": None, "finish_reason": None}]} for i in range(50)
] + [chunk | {"choices": [], "usage": usage}]
with open(folder + "/v1/chat/completions", "w") as file:
    file.write(compact(answer))
with open(folder + "/v1/completions", "w") as file:
    file.write("".join(f"data: {compact(event)}\n\n" for event in events) + "data: [DONE]\n\n")
with open(folder + "/metrics", "w") as file:
    for name in ("num_requests_running", "num_requests_waiting", "kv_cache_usage_perc"):
        file.write(f'vllm:{name}{{model_name="m"}} 0\n')
