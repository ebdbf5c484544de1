from .options import EngineOptions as EngineOptions
from .options import check_seed as check_seed
from .result import ENGINES as ENGINES
from .result import Result as Result
from .result import check_engine as check_engine
from .result import choose as choose
from .result import run as run
from .result import with_default_draws as with_default_draws
