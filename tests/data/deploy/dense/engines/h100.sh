#!/bin/sh
# h100: 4 x h100-sxm per replica, llama-3.1-70b, vLLM 0.23.0.
set -eu
exec vllm serve nvidia/Llama-3.1-70B-Instruct-FP8 \
  --served-model-name llama-3.1-70b \
  --host 0.0.0.0 \
  --port 8000 \
  --tensor-parallel-size 4 \
  --max-num-seqs 192 \
  --max-num-batched-tokens 8192 \
  --enable-chunked-prefill \
  --max-model-len 131072 \
  --gpu-memory-utilization 0.9 \
  --kv-cache-dtype fp8 \
  --enable-prefix-caching \
  --enable-prompt-tokens-details \
  --shutdown-timeout 120
