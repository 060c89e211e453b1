"""Every parameter learns from a user's documents, the vision side included; nothing is frozen.

    dsocr-train configs/finetune_full.py --init-from MODEL --tokenizer MODEL --data documents.jsonl --out runs/tuned

MODEL is a folder with the released weights, or one of ours (then also --model, if its sizes are others). Each line of
documents.jsonl holds pictures and turns; examples/finetune has ten, and `python -m train.show_mask` shows which of
their tokens count. Results go back to the released layout: dsocr export runs/tuned OUT.

The paper says nothing about fine-tuning: every value here is our choice.
"""

from train.config import BackendsConfig, MeshConfig, OptimizerConfig, TrainConfig

config = TrainConfig(
    model="released",  # our choice: what people have
    modes=("base",),  # our choice: whole pages in 273 tokens; take the one that you will read with
    freeze=(),  # our choice: `--freeze ^encoder/sam/` leaves SAM and the compressor alone, as in stage 2
    length=4096,  # our choice: two or three pages
    rows=8,  # our choice: some twenty pages, and every device of a host has a row
    accumulate=8,  # our choice: one row at a time, for one device of 80 GB; with several, divide it by their number
    epochs=3.0,  # our choice: small sets are overfitted soon
    optimizer=OptimizerConfig(
        peak_lr=1e-5,  # our choice: a third of the rate that the paper trains with
        schedule="cosine",
        final_fraction=0.0,  # our choice: nothing follows
        warmup=10,  # our choice: short runs have few steps
        weight_decay=0.0,  # our choice: the weights are meant to stay near what they were
        b2=0.95,  # our choice: as in stage 2
        clip=1.0,  # our choice: as in stage 2
        first_moment="bfloat16",  # our choice: 7 GB less, which a single device of 80 GB needs
    ),
    mesh=MeshConfig(data=1, fsdp=-1),  # our choice: fits one device, or several of a host
    backends=BackendsConfig(remat="full"),  # our choice: for one device of 80 GB; with several, --backends.remat dots
    compute_dtype="bfloat16",  # our choice: as in stage 2
    loss_chunk=512,  # our choice: 0.3 GB of scores at a time
    workers=4,  # our choice: small pictures, few of them
    checkpoint_every=100,  # our choice: minutes of work at most are lost
)
