#!/bin/sh
# summaries: 2 x h100-sxm per replica, qwen3-30b-a3b, TensorRT-LLM 1.3.0rc3.
set -eu
exec trtllm-serve Qwen/Qwen3-30B-A3B-Instruct-2507 \
  --host 0.0.0.0 \
  --port 8000 \
  --backend pytorch \
  --tp_size 2 \
  --gpus_per_node 2 \
  --max_batch_size 256 \
  --max_num_tokens 8192 \
  --max_seq_len 32768 \
  --enable_chunked_prefill \
  --config /etc/tensorrt-llm/summaries.yaml
