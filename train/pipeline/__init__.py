"""The paper's pipeline of four unequal stages, as one program over the mesh axis ``stage``. Experimental.

The stages: SAM and compressor | CLIP, projector, embeddings and the placing of the vision tokens | the first half of
the decoder's layers (the larger one, if their number is odd) | the second half, norm, head and loss. Two stages divide
after the first half of the layers, which halves the parameters as well; one stage is no pipeline.

A step's rows fall into ``config.accumulate`` microbatches, the same as without a pipeline. Each stage works on one of
its own at every tick (`train.pipeline.schedule`); losses and gradients are those of one device up to rounding. What is
frozen, with nothing trained before it, has no backward pass. Between steps parameters and moments are split evenly over
all devices; a step brings to each stage its own, once (`train.pipeline.placement`).

What it costs: a share `bubble` of the time even if all stages were equally fast, and they are not: the slowest sets the
pace. All but the last stage compute their forward pass twice; what ``--backends.remat`` computes again comes on top, so
``none`` is best where the activations of a microbatch fit. Beside its share of the state a device has room for two
copies of the largest stage's parameters and one of a gradient (in the type of the computation), for the sum of the
gradients (float32), and for the pictures of all microbatches.

When not to use it: below some 100 billion parameters. This model has 3.3 billion; with ``fsdp`` alone its state fits on
one node, and no device waits. It is here because the paper trained that way. It goes together with ``data`` and
``fsdp``; not with ``expert``, ``tensor`` and adapters.
"""

from train.pipeline.report import bubble, describe
from train.pipeline.step import check_pipeline, make_pipelined_step

__all__ = ["bubble", "check_pipeline", "describe", "make_pipelined_step"]
