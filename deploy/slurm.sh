#!/bin/bash
#SBATCH --job-name=proofgym
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@60
#
# One server of environments on each node of a job; their URLs, one a line, in a file that the trainer reads.
#
#     (umask 077; openssl rand -hex 32 > "$HOME/.proofgym-token")
#     sbatch deploy/slurm.sh Countdown Sudoku4Steps
#     export PROOFGYM_TOKEN="$(cat "$HOME/.proofgym-token")"
#
# PROOFGYM_TOKEN_FILE, PROOFGYM_PORT and PROOFGYM_URLS say otherwise. The home directory has to be shared by the nodes.
set -euo pipefail

token_file=${PROOFGYM_TOKEN_FILE:-$HOME/.proofgym-token}
port=${PROOFGYM_PORT:-8000}
urls=${PROOFGYM_URLS:-$PWD/proofgym-urls-${SLURM_JOB_ID:-local}.txt}
workers=${SLURM_CPUS_PER_TASK:-2}

if [[ $# -eq 0 ]]; then
  echo "name at least one environment, such as Countdown" >&2
  exit 2
fi
if [[ ! -s $token_file ]]; then
  echo "no token in $token_file; see the head of this script" >&2
  exit 2
fi

: > "$urls.tmp"
if [[ -n ${SLURM_JOB_NODELIST:-} ]]; then
  scontrol show hostnames "$SLURM_JOB_NODELIST" | sed "s|.*|http://&:$port|" >> "$urls.tmp"
else
  echo "http://127.0.0.1:$port" >> "$urls.tmp"
fi

srun --kill-on-bad-exit=0 \
  proofgym serve "$@" --host 0.0.0.0 --port "$port" --workers "$workers" --token-file "$token_file" &
servers=$!
trap 'kill -TERM "$servers" 2> /dev/null || true' TERM INT
trap 'rm -f "$urls" "$urls.tmp"' EXIT

while read -r url; do
  for _ in $(seq 120); do
    if curl --silent --fail --output /dev/null --max-time 2 --noproxy '*' "$url/health/ready"; then
      continue 2
    fi
    kill -0 "$servers" 2> /dev/null || { wait "$servers"; exit 1; }
    sleep 1
  done
  echo "$url did not come up within two minutes" >&2
  kill -TERM "$servers"
  exit 1
done < "$urls.tmp"
mv "$urls.tmp" "$urls" # only now, so that whoever waits for the file finds servers that answer
echo "serving $* at:" && cat "$urls"

code=0
wait "$servers" || code=$?
if kill -0 "$servers" 2> /dev/null; then # a signal ended the wait; the servers are finishing what is in work
  code=0
  wait "$servers" || code=$?
fi
exit "$code"
