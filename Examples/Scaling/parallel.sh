#!/bin/bash
# Segments pictures with GNU parallel, on this machine or on several:
#
#   parallel.sh archive.txt masks [parts] [threads per part] [options of parallel, such as --sshloginfile machines.txt --workdir .]
#
# A part that fails is tried twice more. If this is called again, only missing parts are done. The summary comes at the end, and names what
# failed or is missing.
set -euo pipefail
pictures=$1 output=$2 parts=${3:-8} threads=${4:-1}
shift "$(($# < 4 ? $# : 4))"

seq "$parts" | parallel --retries 3 --joblog "$output.joblog" "$@" \
    segnet predict "$pictures" --output "$output" --shard "{}/$parts" --threads "$threads" --quiet || true
segnet predict --merge "$output"
