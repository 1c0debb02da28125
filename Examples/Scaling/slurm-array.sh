#!/bin/bash
# Segments pictures on Slurm: an array with one task for each of 64 parts.
#
#   sbatch --export=ALL,LIST=archive.txt,OUTPUT=masks slurm-array.sh
#   sbatch --array=9,31 --export=ALL,LIST=archive.txt,OUTPUT=masks slurm-array.sh     # some parts again
#   segnet predict --merge masks                                                        # missing parts, and the summary
#
# Parts are counted from 1, as --shard auto/64 expects; a part that is done already ends at once.
#SBATCH --job-name=segnet
#SBATCH --array=1-64
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --output=segnet-%A_%a.txt
set -euo pipefail
: "${LIST:?names a list of pictures, a folder or a picture}" "${OUTPUT:?names the folder for the results}"

srun segnet predict "$LIST" --output "$OUTPUT" --shard auto/64 --threads "$SLURM_CPUS_PER_TASK" --quiet
