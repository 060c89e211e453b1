#!/bin/bash
# Stage 2 on 32 GPUs of four hosts: sbatch examples/slurm/stage2.sh
#SBATCH --job-name=stage2
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=8    # JAX takes one process for each GPU under SLURM
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@600      # ten minutes before the end: the run saves and stops
#SBATCH --requeue
#SBATCH --open-mode=append

# 32 devices times --accumulate 10 are 320 parts of two rows; --workers counts for each of the eight processes of a host.
srun dsocr-train configs/stage2.py --distributed \
    --tokenizer tokenizer.json --init-parts '^encoder/' runs/stage1 '^decoder/' models/language \
    --data data/ocr data/general.jsonl data/text.jsonl --out runs/stage2 \
    --mesh.data -1 --mesh.fsdp 8 --accumulate 10 --workers 4
status=$?

# 143 says that the run was stopped by the signal and has saved everything; the same command goes on from there.
if [ "$status" -eq 143 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
