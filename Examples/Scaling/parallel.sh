#!/bin/bash
# Pictures through segnet with GNU parallel, on this machine or on several:
#
#   parallel.sh archive.txt masks [parts] [threads a part] [options of parallel, such as --sshloginfile machines.txt --workdir .]
#
# A part that fails is tried twice more; called again, it does what is missing alone. At the end the summary.
set -euo pipefail
pictures=$1 output=$2 parts=${3:-8} threads=${4:-1}
shift "$(($# < 4 ? $# : 4))"

seq "$parts" | parallel --retries 3 --joblog "$output.joblog" "$@" \
    segnet predict "$pictures" --output "$output" --shard "{}/$parts" --threads "$threads" --quiet
segnet predict --merge "$output"
