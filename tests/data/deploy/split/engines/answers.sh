#!/bin/sh
# answers: 16 x h200-sxm per replica, deepseek-r1, SGLang 0.5.20.
# Runs on each of its 2 machines, with LEADER_ADDRESS (the first one's address) and NODE_RANK (from 0) set.
set -eu
exec python3 -m sglang.launch_server \
  --model-path deepseek-ai/DeepSeek-R1 \
  --served-model-name deepseek-r1 \
  --host 0.0.0.0 \
  --port 8000 \
  --enable-metrics \
  --enable-cache-report \
  --tp-size 16 \
  --dp-size 16 \
  --enable-dp-attention \
  --ep-size 16 \
  --max-running-requests 1024 \
  --chunked-prefill-size 8192 \
  --context-length 163840 \
  --mem-fraction-static 0.8878 \
  --kv-cache-dtype fp8_e4m3 \
  --speculative-algorithm NEXTN \
  --speculative-num-steps 2 \
  --speculative-eagle-topk 1 \
  --speculative-num-draft-tokens 3 \
  --disaggregation-mode decode \
  --disaggregation-transfer-backend nixl \
  --nnodes 2 \
  --node-rank "$NODE_RANK" \
  --dist-init-addr "$LEADER_ADDRESS:20000"
