#!/bin/sh
# chat-l4-spot: 1 x l4 per replica, llama-3.1-8b, vLLM 0.23.0.
# meta-llama/Llama-3.1-8B-Instruct is published in 16 bits; vllm turns it into FP8 as it loads, without calibration. Name an FP8 checkpoint if you have one: it loads in half the time.
set -eu
exec vllm serve meta-llama/Llama-3.1-8B-Instruct \
  --served-model-name llama-3.1-8b \
  --host 0.0.0.0 \
  --port 8000 \
  --quantization fp8 \
  --tensor-parallel-size 1 \
  --max-num-seqs 32 \
  --max-num-batched-tokens 8192 \
  --enable-chunked-prefill \
  --max-model-len 131072 \
  --gpu-memory-utilization 0.9 \
  --kv-cache-dtype fp8 \
  --enable-prefix-caching \
  --enable-prompt-tokens-details \
  --shutdown-timeout 120
