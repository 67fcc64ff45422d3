"""From an input to shards, on the processors of a Ray cluster.

    input ─▶ parts ─▶ a worker each ─▶ shard, written by the worker ─▶ manifest, by the driver

A part is made whole or not at all, and what it becomes depends on nothing else: so the result
is the same however many workers there are, in whatever order they end and whichever of them
are lost on the way. What the manifest lists is not made again.
"""

from __future__ import annotations

from collections.abc import Sequence

from index.archive.shards.input import ArchiveInput, Limits
from index.archive.shards.location import Place
from index.archive.shards.progress import Built, Ledger
from index.archive.shards.ray_cluster import ray_cluster
from index.archive.shards.workers import Workers
from index.archive.store import ModelRef
from index.extras import require
from index.models.encoder import Progress
from index.models.loading import load_encoder

__all__ = ["build_shards"]


def build_shards(
    source: ArchiveInput,
    place: Place,
    *,
    workers: int | None = None,
    address: str | None = None,
    model: str | None = None,
    fingerprint: str | None = None,
    tags: Sequence[str] = (),
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Built:
    """Make the shards of an input that are not there yet.

    Args:
        source: The input; every worker must be able to read it where it is.
        place: Where the shards go; every worker must be able to write there.
        workers: How many; None for one a processor of the cluster.
        address: The cluster's; None to start one on this machine.
        model: Makes the vectors; None for the bundled MiniLM.
        fingerprint: As for `index.models.loading.load_encoder`.
        tags: Given to every article.
        limits: Of a shard.
        progress: Called with the articles that are done.

    Raises:
        SourceError: The input cannot be read, or changed meanwhile.
        OtherModel: The shards that are there were made with another model.
        NotALibrary: They are of another input.
        LibraryBusy: Another process is making them.
        LibraryError: They cannot be written, or workers are lost again and again.
        MissingExtra: Ray, pyarrow or fsspec is not installed.
    """
    require("ray", "pyarrow", of="ray")
    # Prepared once, here: the workers of this machine find it done.
    encoder = load_encoder(model, fingerprint=fingerprint, progress=progress)
    ref = ModelRef(encoder.name, encoder.fingerprint, encoder.dimension)
    del encoder
    parts = source.parts(limits or Limits(), progress)
    with place.locked():
        ledger = Ledger.open(place, ref, parts, tuple(tags))
        if progress:
            progress("preparing articles", ledger.articles_done, ledger.articles)
        lost = 0
        if missing := ledger.missing:
            with ray_cluster(address, n_cpus=workers) as ray:
                there = max(1, int(ray.cluster_resources().get("CPU", 1)))
                team = Workers(ray, source, place, ref, tuple(tags))
                try:
                    for shard in team.make(missing, min(workers or there, len(missing))):
                        ledger.add(shard)
                        if progress:
                            progress("preparing articles", ledger.articles_done, ledger.articles)
                finally:
                    team.dismiss()
                    ledger.write()
                lost = team.lost
        kept = len(parts) - len(missing)
        return ledger.close(made=len(missing), kept=kept, lost=lost)
