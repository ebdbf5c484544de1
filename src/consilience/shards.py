"""Studies that are larger than memory: write their answers in shards, and fit these."""

from consilience.fitting import ShardedFit
from consilience.fitting import fit_shards as fit
from consilience.posterior import AllItems, all_items
from consilience.sharding import Shards
from consilience.sharding import write_shards as write

__all__ = ["AllItems", "ShardedFit", "Shards", "all_items", "fit", "write"]
