r"""Stage 2 of the paper: the whole model; SAM and the compressor stay as they are, CLIP, projector and decoder learn.

    dsocr tokenizer --out tokenizer.json
    dsocr-train configs/stage2.py --tokenizer tokenizer.json \
        --init-parts '^encoder/' runs/stage1 '^decoder/' LANGUAGE \
        --data data/ocr data/general.jsonl data/text.jsonl --out runs/stage2

LANGUAGE is a folder with a pretrained decoder; without one, the decoder begins at random (the paper's does not).
Data with other kinds than the mixture below needs its own --mixture.

The paper runs a pipeline of four stages (SAM | CLIP | 6 layers | 6 layers) in 40 copies on 160 GPUs of 40 GB:
--mesh.stage 4 --mesh.fsdp 1 --mesh.data -1 --accumulate 16, which makes 16 microbatches of one row in each copy. Our
default has no pipeline (`train.pipeline` says why): the parameters are split over all devices.
On several hosts --mesh.data -1 --mesh.fsdp 8 keeps what is gathered within a host of eight.

`--accumulate` times the number of devices that share the batch is best 320: then a device computes two rows at a time,
and 80 GB are enough (`--dry-run --on H100:8` says for what).
"""

from train.config import MeshConfig, OptimizerConfig, TrainConfig

config = TrainConfig(
    model="released",
    # SAM with its compressor: encoder/sam/{patch_embed,pos_embed,blocks,neck} and encoder/sam/compressor.
    freeze=(r"^encoder/sam/",),
    # 70 % OCR, 20 % general vision, 10 % text; as shares of samples: our choice, the paper does not say of what. The
    # first four are in the ratio of the paper's numbers of pictures (53, 10, 5 and 1 million): our choice as well.
    mixture={"pages": 54, "charts": 10, "molecules": 5, "geometry": 1, "general": 20, "text": 10},
    # All in one run; equal shares of the steps: our choice.
    modes=("tiny", "small", "base", "large", "gundam"),
    length=8192,
    rows=640,
    accumulate=40,  # our choice: for eight devices, see above
    steps=40_000,  # our choice: 200 billion tokens, three days at the paper's rate
    optimizer=OptimizerConfig(
        peak_lr=3e-5,
        schedule="step",
        step_every=10_000,  # our choice: three cuts
        step_factor=0.5,  # our choice: an eighth of the rate at the end
        warmup=500,  # our choice: the moments settle before the rate is whole
        weight_decay=0.1,  # our choice: usual for language models
        b2=0.95,  # our choice: usual for language models
        clip=1.0,  # our choice: single batches cannot spoil a long run
    ),
    mesh=MeshConfig(data=1, fsdp=-1),  # our choice: fits any number of devices of one host
    compute_dtype="bfloat16",  # our choice: half the bytes and twice the rate; the parameters stay float32
    loss_chunk=512,  # our choice: 0.5 GB of scores at a time
    workers=16,  # our choice: one for each core of a usual host
    checkpoint_every=500,  # our choice: an hour of work at most is lost
    keep=3,  # our choice: two to go back to
)
