from .model import Prior as Prior
from .nuts import program as program
from .ranking import Ranking as Ranking
from .ranking import fit as fit
from .ranking import load as load
from .reading import read as read
from .record import Comparisons as Comparisons
