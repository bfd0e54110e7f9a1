#!/bin/sh
# prompts: 8 x h200-sxm per replica, deepseek-r1, SGLang 0.5.20.
set -eu
exec python3 -m sglang.launch_server \
  --model-path deepseek-ai/DeepSeek-R1 \
  --served-model-name deepseek-r1 \
  --host 0.0.0.0 \
  --port 8000 \
  --enable-metrics \
  --enable-cache-report \
  --tp-size 8 \
  --dp-size 8 \
  --enable-dp-attention \
  --ep-size 8 \
  --max-running-requests 512 \
  --chunked-prefill-size 131072 \
  --context-length 163840 \
  --mem-fraction-static 0.8642 \
  --kv-cache-dtype fp8_e4m3 \
  --disaggregation-mode prefill \
  --disaggregation-transfer-backend nixl \
  --disaggregation-bootstrap-port 8998
