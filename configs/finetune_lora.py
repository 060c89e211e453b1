"""Low-rank adapters learn from a user's documents; every parameter of the model itself is frozen.

    dsocr-train configs/finetune_lora.py --init-from MODEL --tokenizer MODEL --data documents.jsonl --out runs/tuned

MODEL and documents.jsonl are as in finetune_full.py. RUN/model has the adapters merged: dsocr read and dsocr export
take it as any other. Adapters on the vision side too: --lora.on '/(qkv|proj|q|k|v|o|fc1|fc2)/kernel$'; on the experts:
'/experts/(gate|up|down)$', each of which gets its own.

The paper says nothing about fine-tuning: every value here is our choice.
"""

from train.config import LoraConfig, MeshConfig, OptimizerConfig, TrainConfig

config = TrainConfig(
    model="released",  # our choice: what people have
    modes=("base",),  # our choice: whole pages in 273 tokens; take the one that you will read with
    lora=LoraConfig(
        rank=16,  # our choice: enough for a new layout or notation
        alpha=32.0,  # our choice: twice the rank, as is usual
        # Our choice: the matrices between pictures and words, and those of the decoder that every token passes.
        on=(
            r"^encoder/projector/kernel$",
            r"^decoder/layers/.*/attn/(q|k|v|o)/kernel$",
            r"^decoder/layers/.*/(shared|mlp)/(gate|up|down)/kernel$",
        ),
    ),
    length=4096,  # our choice: two or three pages
    rows=8,  # our choice: some twenty pages, and every device of a host has a row
    accumulate=2,  # our choice: four rows at a time, for a single device of 80 GB; 1 with several
    epochs=3.0,  # our choice: small sets are overfitted soon
    optimizer=OptimizerConfig(
        peak_lr=2e-4,  # our choice: adapters begin at nothing and bear higher rates
        schedule="cosine",
        final_fraction=0.0,  # our choice: nothing follows
        warmup=10,  # our choice: short runs have few steps
        weight_decay=0.0,  # our choice: the rank bounds what can be learned
        b2=0.95,  # our choice: as in stage 2
        clip=1.0,  # our choice: as in stage 2
    ),
    mesh=MeshConfig(data=1, fsdp=-1),  # our choice: fits one device, or several of a host
    compute_dtype="bfloat16",  # our choice: as in stage 2
    loss_chunk=512,  # our choice: 1 GB of scores at a time
    workers=4,  # our choice: small pictures, few of them
    checkpoint_every=100,  # our choice: minutes of work at most are lost
)
