#!/bin/bash
# Trains on Slurm over MPI, with one rank on each of 4 machines:
#
#   sbatch --export=ALL,RECIPE=recipe.yaml,OUTPUT=runs/first slurm-training.sh
#
# Two minutes before the time is over, Slurm asks the ranks to stop. They save at the end of a step, and the same command continues from there.
#SBATCH --job-name=segnet-training
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=16G
#SBATCH --time=08:00:00
#SBATCH --signal=USR1@120
#SBATCH --output=segnet-training-%j.txt
set -euo pipefail
: "${RECIPE:?names the recipe}" "${OUTPUT:?names the folder of the run, which all machines see}"

srun --mpi=pmix segnet-mpi train --config "$RECIPE" --output "$OUTPUT" --resume --threads "$SLURM_CPUS_PER_TASK"
