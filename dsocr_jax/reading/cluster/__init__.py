"""Batch reading on many machines (Ray, extra ``cluster``) or on the devices of one.

    summary = run(["scans/"], "model/", "out/", ReadOptions("base"), cluster=ClusterOptions(engine="ray", actors=8))

`plan` divides all pages into shards; workers that hold a model each (`shard`) read them, handed out by `dispatch`;
`local_crew` and `ray_crew` run the workers; `folder` knows what is on disk; `merge` joins the shards.
"""
