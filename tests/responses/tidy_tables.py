"""Tidy tables of made-up studies, as people have them, whose answers are known.

`make(seed)` draws a study, a shape of table, a coding of its values, the names of its
columns and further columns that are no answers. Names are those that published data
sets have, in six languages, or nonsense. Content and usual names together always show
which column is which; with nonsense names a reader may have to ask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

# Names by role, of the languages in turn; a name may stand in several roles.
_NAMES = """
item: item item_id image image_id img photo photo_id picture file filename doc doc_id
  document document_id tweet tweet_id post_id comment_id text text_id sample sample_id
  sentence_id utt_id clip_id video audio_id recording task task_id hit example_id
  instance unit_id case case_id patient slide scan study_id page_id passage_id
  paragraph_id review_id question question_id query query_id qid id article
  headline_id message_id snippet track specimen observation object_id record_id
  pair_id product url_id name stimulus / Bild Bild_ID Bilddatei Foto Dokument Text_Nr
  Satz_ID Aufgabe Beleg Fall Fallnr Aufnahme Beitrag Datensatz Probe Objekt Datei
  Abschnitt / image photo document phrase_id texte_id fichier énoncé tâche cas extrait
  échantillon article cliché / imagen foto documento id_texto frase_id archivo tarea
  caso muestra pregunta tuit noticia / immagine foto documento id_testo frase compito
  caso campione brano domanda / imagem foto documento id_texto frase tarefa caso
  amostra arquivo pergunta
text: text sentence utterance tweet headline passage claim statement comment title
  content body question prompt / Text Satz Aussage Wortlaut Titel Frage / texte phrase
  énoncé titre contenu / texto frase enunciado título contenido / testo frase
  enunciato titolo contenuto / texto frase enunciado título conteúdo
annotator: annotator annotator_id worker worker_id rater rater_id coder coder_id judge
  judge_id assessor reader reader_id labeler labeller_id user user_id expert reviewer
  participant participant_id subject_id turker evaluator grader radiologist
  pathologist listener respondent volunteer student examiner labeled_by annotated_by
  username contributor observer / Bewerter Annotator Kodierer Gutachter Prüfer
  Teilnehmer Bearbeiter Nutzer VP Codierer Arzt / annotateur évaluateur juge codeur
  lecteur participant utilisateur médecin / anotador evaluador juez codificador
  participante usuario médico revisor / annotatore valutatore giudice codificatore
  partecipante utente medico / anotador avaliador juiz codificador participante
  usuário médico revisor
label: label annotation category class rating judgment judgement choice response
  answer vote decision value code target verdict assigned_label worker_label
  given_label opinion assessment / Etikett Bewertung Kategorie Urteil Einstufung
  Klasse Einschätzung Antwort Entscheidung Wert / étiquette catégorie jugement réponse
  classe évaluation choix avis / etiqueta categoría juicio respuesta clase valoración
  decisión / etichetta categoria giudizio risposta classe valutazione scelta /
  etiqueta rótulo categoria julgamento resposta classe avaliação decisão
rating: rating score grade relevance quality severity level stars toxicity likert
  intensity fluency adequacy usefulness / Note Punkte Relevanz Schweregrad Stufe
  Qualität / note score pertinence gravité niveau qualité / nota puntuación relevancia
  gravedad nivel calidad / voto punteggio rilevanza gravità livello qualità / nota
  pontuação relevância gravidade nível qualidade
asked: label category class candidate concept tag query target attribute
  candidate_label asked_label object question name keyword species finding symptom /
  Kandidat Etikett Kategorie Merkmal Begriff Befund Klasse / étiquette catégorie
  candidat attribut classe concept / etiqueta categoría candidato atributo clase
  concepto / etichetta categoria candidato attributo classe concetto / etiqueta
  categoria candidato atributo classe conceito
answer: answer response present selected vote is_present visible judgment label value
  applies verdict agrees choice contains / Antwort vorhanden Urteil trifft_zu sichtbar
  / réponse présent jugement visible avis / respuesta presente juicio visible voto /
  risposta presente giudizio visibile voto / resposta presente julgamento visível voto
labels: labels tags categories annotations selected_labels classes emotions topics /
  Etiketten Kategorien Schlagwörter Klassen Themen / étiquettes catégories thèmes
  classes / etiquetas categorías temas clases / etichette categorie temi classi /
  etiquetas categorias temas classes
count: count n num votes frequency freq num_votes n_answers total_votes / Anzahl
  Häufigkeit Stimmen / nombre effectif votes fréquence / número frecuencia votos
  cantidad / numero frequenza voti conteggio / número frequência votos contagem
object: object object_no object_index region box_no mention_no selection / Objekt_Nr
  Region Nennung / objet_no région mention / objeto_no región mención / oggetto_n
  regione menzione / objeto_n região menção
response: response_id annotation_id submission_id assignment_id answer_set /
  Antwort_ID Abgabe_ID / réponse_id / respuesta_id / risposta_id / resposta_id
row: row row_number row_no line # / Zeile lfd_Nr / ligne / fila / riga / linha
key: answer_uuid entry_id uuid judgment_key log_id event_id
time: timestamp created_at submitted_at date submit_time / Zeitstempel Datum / date
  horodatage / fecha / data_ora / data_hora
duration: seconds duration time_spent work_time rt reaction_time lead_time / Dauer
  Bearbeitungszeit / durée / duración / durata / duração
confidence: confidence certainty sure confidence_score / Sicherheit
  Konfidenz / confiance certitude / confianza certeza / fiducia sicurezza / confiança
  certeza
comment: comments rationale explanation notes remarks free_text reason feedback /
  Kommentar Begründung Anmerkung / commentaire justification remarque / comentario
  justificación / commento motivazione / comentário justificativa
url: url link image_url permalink source_url
model: prediction model_label predicted model_output pred gpt4_label classifier_label
  / Vorhersage Modell / prédiction / predicción / predizione / predição
split: split fold partition data_split
gold: gold gold_label ground_truth truth true_label correct_label / Goldstandard
  Wahrheit / vérité étiquette_or / verdad referencia / verità riferimento / verdade
  referência
attribute: category topic genre domain source query target section name class / Thema
  Quelle Rubrik / thème source rubrique / tema fuente sección / tema fonte sezione /
  tema fonte seção
country: country nationality annotator_country / Land / pays / país / paese / país
gender: gender sex annotator_gender / Geschlecht / sexe / género / sesso / sexo
group: group team condition cohort / Gruppe / groupe / grupo / gruppo / grupo
batch: batch batch_id session round
constant: dataset version task project language campaign question
empty: unused flag reserved extra deleted_at
total: total total_answers sum
"""
_LANGUAGES = ("en", "de", "fr", "es", "it", "pt")
_FIRST_NAMES = "Anna Ben Clara David Elif Fatima Georg Hugo Ines Jan Karin Luis"
_PEOPLE = tuple(_FIRST_NAMES.split())
_SENTENCE = """
the small old red quiet train garden market river house reads opened under before
several people morning nobody likes this report about weather and music slowly
"""
_WORDS = tuple(_SENTENCE.split())
# Labels in words, and names of columns that say what they are.
_THEMES = (
    ("positive negative neutral mixed", "sentiment polarity tone"),
    ("favor against neutral", "stance position"),
    ("cat dog fox wolf horse cow sheep goat", "animal species"),
    ("benign malignant uncertain normal", "diagnosis finding"),
    ("politics sport culture science travel health money food", "topic section_label"),
    ("joy anger fear sadness surprise disgust", "emotion feeling mood"),
    ("hate offensive harmless", "hate_speech toxicity_class"),
    ("supports refutes unrelated", "verdict veracity"),
    ("entailment contradiction neutral", "inference nli_label"),
    ("fröhlich traurig wütend ängstlich müde", "Stimmung Gefühl"),
    ("élevé modéré très_faible", "risque gravité"),
    ("sí_claro quizás_sí más_bien_no", "opinión postura"),
    ("кошка собака лиса волк", "животное класс"),
    ("猫 犬 狐 狼", "動物 ラベル"),
    ("γάτα σκύλος αλεπού", "ζώο"),
)
_ANSWERS = (  # yes, no and maybe in the source
    ("yes", "no", "maybe"),
    ("Yes", "No", "Maybe"),
    ("YES", "NO", "MAYBE"),
    ("Y", "N", None),
    (1, 0, None),
    (True, False, None),
    ("true", "false", None),
    ("ja", "nein", "vielleicht"),
    ("oui", "non", "peut-être"),
    ("sí", "no", "quizás"),
    ("sì", "no", "forse"),
    ("sim", "não", "talvez"),
)
_PAIRS = (  # two columns that name an item together, the name of its label
    ("query document relevance", ("doc", "q")),
    ("query_id doc_id grade", ("doc", "q")),
    ("topic docno relevance", ("FT911-", "")),
    ("text_id aspect sentiment", None),
    ("text_id category rating", None),
    ("tweet_id target stance", None),
    ("image caption rating", ("cap", "img")),
    ("claim evidence verdict", ("ev", "c")),
    ("source_id system score", ("sys", "s")),
    ("prompt_id model rating", ("sys", "p")),
    ("item_id name score", None),
    ("premise hypothesis nli_label", ("h", "p")),
    ("Anfrage Dokument Relevanz", ("dok", "a")),
    ("requête document pertinence", ("doc", "r")),
    ("consulta documento relevancia", ("doc", "c")),
)
_STEMS = """
annotator_{} rater{} coder_{} label_{} rating_{} judge{} Annotator{} r{} A{} Bewerter_{}
annotateur_{} anotador{} valutatore_{} avaliador_{} expert_{}
"""
_ASPECTS = ["price", "service", "food", "style", "speed", "safety", "battery", "screen"]


def _by_role() -> dict[str, dict[str, list[str]]]:
    names: dict[str, dict[str, list[str]]] = {}
    for line in _NAMES.replace("\n  ", " ").strip().splitlines():
        role, _, words = line.partition(": ")
        each = [part.split() for part in words.split("/")]
        names[role] = {key: w for key, w in zip(_LANGUAGES, each, strict=False) if w}
    return names


NAMES: Mapping[str, Mapping[str, Sequence[str]]] = _by_role()


@dataclass(frozen=True, kw_only=True)
class TidyTable:
    """A table, and what it says.

    `commands` is None where no options of `read` say what the table is. Of `renamed`
    tables, two columns name the items: any names of the items are right. `also` are
    further readings that are as right, such as a label's code for its name.
    """

    table: pd.DataFrame
    kind: str
    shape: str
    names: str
    answers: pd.DataFrame
    commands: dict[str, Any] | None
    description: str
    anonymous: bool = False
    renamed: bool = False
    also: tuple[tuple[str, pd.DataFrame], ...] = ()


@dataclass(kw_only=True)
class Study:
    """Answers by number: item, annotator and label of each."""

    item: np.ndarray
    annotator: np.ndarray
    label: np.ndarray
    truth: np.ndarray
    num_annotators: int
    num_labels: int


@dataclass(kw_only=True)
class Sheet:
    """The columns of a table while it is made."""

    rng: np.random.Generator
    usual: bool
    language: str
    style: int
    columns: dict[str, Sequence[Any]] = field(default_factory=dict)
    further: list[str] = field(default_factory=list)
    sorts: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def one(self, among: Sequence[Any]) -> Any:
        """Draw one of several."""
        return among[int(self.rng.integers(len(among)))]

    def chance(self, share: float) -> bool:
        """Draw whether something happens."""
        return bool(self.rng.random() < share)

    def name(self, role: str, *, words: str = "") -> str:
        """Draw a name that no column has, of a role or of some words."""
        for _ in range(200):
            if not self.usual:
                number = len(self.taken) // 2 + 9
                name = f"c{self.rng.integers(1, number + 1)}"
                if self.style % 2:
                    name = "".join(self.rng.choice(list("bcdfgjkpqrvwxz"), 4))
            else:
                language = self.language if self.chance(0.85) else "en"
                name = self.one(NAMES[role].get(language, NAMES[role]["en"]))
                name = self.styled(self.one(words.split()) if words else name)
            plain = "".join(each for each in name.casefold() if each.isalnum() or "#")
            if plain not in self.taken:
                self.taken.append(plain)
                return name
        raise AssertionError(role)

    def styled(self, name: str) -> str:
        """Write a name as the other names of the table are written."""
        parts = name.split("_")
        parts = [part.upper() if part == "id" else part for part in parts]
        camel = parts[0].lower() + "".join(p.capitalize() for p in parts[1:])
        title = " ".join(p if p.isupper() else p[:1].upper() + p[1:] for p in parts)
        return (name, name, name, name, camel, title, name.upper())[self.style % 7]

    def add(self, role: str, values: Sequence[Any], *, words: str = "") -> str:
        """Add a column and return its name."""
        name = self.name(role, words=words)
        self.columns[name] = list(values)
        return name

    def table(self) -> pd.DataFrame:
        """Return the table, often with its columns and rows in no order."""
        names = list(self.columns)
        if self.chance(0.5):
            names = [names[k] for k in self.rng.permutation(len(names))]
        table = pd.DataFrame({name: self.columns[name] for name in names})
        order = self.rng.permutation(len(table))
        return table.iloc[order].reset_index(drop=True) if self.chance(0.7) else table


def study(
    sheet: Sheet, *, num_labels: int, ordered: bool = False, pairs: int = 0
) -> Study:
    """Draw answers that agree beyond chance, and sometimes disagree."""
    rng = sheet.rng
    many = sheet.chance(0.2) and not pairs
    annotators = int(rng.integers(25, 61) if many else rng.integers(2, 13))
    items = pairs or int(rng.integers(30 if many else 8, 121))
    most = min(annotators, 5)
    each = int(rng.integers(min(3, most), most + 1)) if many or sheet.chance(0.5) else 0
    if not each or items * each < 30:
        each = min(annotators, 12)
    items = pairs or max(items, 30 // each)
    shares = rng.dirichlet(np.full(num_labels, sheet.one([0.6, 2.0, 8.0])))
    shares = 0.05 + (1 - 0.05 * num_labels) * shares
    truth = rng.choice(num_labels, items, p=shares)
    mean = sheet.one([0.55, 0.7, 0.8, 0.9])
    accuracy = np.clip(rng.normal(mean, 0.08, annotators), 0.4, 0.97)
    item = np.repeat(np.arange(items), each)
    annotator = np.concatenate(
        [rng.choice(annotators, each, replace=False) for _ in range(items)]
    )
    others = rng.choice(num_labels, len(item), p=shares)
    if ordered:
        others = np.clip(
            truth[item] + rng.choice([-1, 1], len(item)), 0, num_labels - 1
        )
    right = rng.random(len(item)) < accuracy[annotator]
    label = np.where(right, truth[item], others)
    # Some items are judged differently, however good all are.
    for one in rng.choice(items, max(3, items // 10), replace=False):
        row = int(np.flatnonzero(item == one)[rng.integers(each)])
        label[row] = (truth[one] + rng.integers(1, num_labels)) % num_labels
    return Study(
        item=item,
        annotator=annotator,
        label=label,
        truth=truth,
        num_annotators=annotators,
        num_labels=num_labels,
    )


# Values


def texts(sheet: Sheet, number: int, *, shared: bool = False) -> list[str]:
    """Write sentences, of which two are the same where some are shared."""
    found: list[str] = []
    while len(found) < number:
        words = sheet.rng.choice(_WORDS, int(sheet.rng.integers(7, 16)))
        sentence = " ".join(words).capitalize() + "."
        if sentence not in found:
            found.append(sentence)
    if shared:
        found[-1] = found[0]
    return found


def item_names(sheet: Sheet, number: int, name: str = "") -> list[Any]:
    """Name items, by numbers or by a word that suits the name of the column."""
    rng, way = sheet.rng, int(sheet.rng.integers(6))
    numbers = rng.choice(np.arange(100, 10_000), number, replace=False).tolist()
    if way == 0:
        return list(range(number))
    if way == 1:
        return numbers
    if way == 2:
        return [str(1_280_000_000_000_000_000 + 7919 * k) for k in numbers]
    word = (
        name.casefold()[:3] if sheet.usual and name else sheet.one(["img", "doc", "s"])
    )
    ending = ".jpg" if word in {"ima", "img", "pho", "bil", "fot", "imm"} else ""
    pattern = ("{}_{:04d}{}", "{}-{}{}", "{}{:05d}{}")[way - 3]
    return [pattern.format(word, k, ending) for k in numbers]


def annotator_names(sheet: Sheet, number: int) -> list[Any]:
    """Name annotators, by numbers, codes or first names."""
    rng, way = sheet.rng, int(sheet.rng.integers(5))
    if way == 0:
        return list(range(1, number + 1))
    if way == 1 and number <= len(_PEOPLE):
        return list(_PEOPLE[:number])
    if way == 2:
        letters = list("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789")
        return ["A" + "".join(rng.choice(letters, 11)) + str(k) for k in range(number)]
    return [f"{'w' if way == 3 else 'rater_'}{k + 1:02d}" for k in range(number)]


def label_values(sheet: Sheet, *, least: int = 2) -> tuple[list[Any], str, bool]:
    """Draw labels; return also the words that name them, and whether they are ratings.

    Where any name of labels will do, the words are empty.
    """
    way = int(sheet.rng.integers(9))
    number = int(sheet.rng.integers(max(least, 2), 9))
    if way == 0 and least <= 2:
        return [True, False], "", False
    if way == 1:
        return list(range(number)), "rating" if sheet.chance(0.3) else "", False
    if way in {2, 3}:
        ratings = list(range(1, max(4, min(number, 7)) + 1))
        return [float(k) for k in ratings] if way == 3 else ratings, "rating", True
    if way == 4:
        return list("ABCDEFGH"[:number]), "", False
    labels, words = sheet.one(_THEMES)
    labels = labels.split()
    labels = labels[: max(least, 2, min(number, len(labels)))]
    labels = [each.replace("_", " ") for each in labels]
    if way == 5:
        labels = [each.upper() for each in labels]
    return labels, words if sheet.chance(0.5) else "", False


def label_column(sheet: Sheet, values: Sequence[Any], words: str) -> str:
    """Add the column of labels, under a name that suits them."""
    if words == "rating":
        return sheet.add("rating" if sheet.chance(0.6) else "label", values)
    return sheet.add("label", values, words=words)


def is_yes_or_no(labels: Sequence[Any]) -> bool:
    """Say whether labels may also be answers to a yes-or-no question."""
    return len(labels) == 2 and not isinstance(labels[0], str)


# Columns that are no answers

_OF_ITEMS = ("text", "url", "model", "split", "gold", "attribute", "item_batch")
_OF_ANNOTATORS = ("country", "gender", "group", "annotator_batch")
_OF_ROWS = ("row", "time", "duration", "confidence", "comment", "key")
_OF_NOBODY = ("constant", "empty")
_WORDS_OF: Mapping[str, Sequence[Any]] = {
    "split": ["train", "test"],
    "item_batch": [1, 2, 3],
    "attribute": ["north", "south", "east", "west"],
    "country": ["US", "DE", "IN", "BR"],
    "gender": ["female", "male"],
    "group": ["control", "treatment"],
    "annotator_batch": [1, 2],
}


def of_items(
    sheet: Sheet, sort: str, labels: Sequence[Any], truth: np.ndarray
) -> list[Any]:
    """Draw what a further column says of each item."""
    rng, number = sheet.rng, len(truth)
    if sort == "text":
        return texts(sheet, number, shared=not sheet.usual or sheet.chance(0.5))
    if sort == "url":
        pages = rng.permutation(number)
        if not sheet.usual or sheet.chance(0.3):
            pages[-1] = pages[0]
        return [f"https://example.org/a/{k}" for k in pages]
    if sort in {"gold", "model"}:
        off = rng.random(number) < (0.25 if sort == "model" else 0)
        codes = np.where(off, rng.integers(len(labels), size=number), truth)
        return [labels[k] for k in codes]
    return of_some(sheet, number, _WORDS_OF[sort])


def of_some(sheet: Sheet, number: int, words: Sequence[Any]) -> list[Any]:
    """Draw one of several words for each; the first two are drawn."""
    return [*words[:2], *(sheet.one(words) for _ in range(number - 2))]


def of_rows(sheet: Sheet, sort: str, number: int) -> list[Any]:
    """Draw what a further column says of each row."""
    rng = sheet.rng
    values: list[Any] = [None] * number
    if sort == "row":
        values = [*range(1, number + 1)]
    elif sort == "time":
        start = pd.Timestamp("2024-03-01 08:00:00")
        passed = np.cumsum(rng.integers(5, 900, number))
        values = [start + pd.Timedelta(seconds=int(k)) for k in passed]
        values = values if sheet.chance(0.4) else [str(each) for each in values]
    elif sort == "duration":
        values = np.round(rng.lognormal(2.5, 0.6, number), 2).tolist()
    elif sort == "confidence":
        shares = np.round(rng.beta(5, 2, number), 2)
        values = (shares if sheet.chance(0.5) else rng.integers(1, 6, number)).tolist()
    elif sort == "comment":
        written = rng.random(number) < sheet.one([0.2, 0.6, 1.0])
        some = texts(sheet, number)
        values = [t if w else None for t, w in zip(some, written, strict=True)]
    elif sort == "key":
        values = [f"{k:08x}" for k in rng.choice(2**31, number, replace=False)]
    elif sort == "constant":
        values = [sheet.one(["v1", "en", "pilot"])] * number
    return values


def add_further(
    sheet: Sheet,
    sorts: Sequence[str],
    item: np.ndarray,
    labels: Sequence[Any],
    truth: np.ndarray,
    *,
    annotator: np.ndarray | None = None,
    long: bool = True,
) -> None:
    """Add up to four columns that are no answers."""
    number = min(int(sheet.rng.integers(5)), len(sorts))
    for sort in map(str, sheet.rng.choice(list(sorts), number, replace=False)):
        words = ""
        if sort in _OF_ITEMS:
            each = of_items(sheet, sort, labels, truth)
            values = [each[k] for k in item]
        elif sort in _OF_ANNOTATORS and annotator is not None:
            each = of_some(sheet, int(annotator.max()) + 1, _WORDS_OF[sort])
            values = [each[k] for k in annotator]
        else:
            values = of_rows(sheet, sort, len(item))
        if sort == "row" and long and sheet.chance(0.4):
            words = "n row index id nr"
        role = "batch" if sort.endswith("batch") else sort
        sheet.further.append(sheet.add(role, values, words=words))
        sheet.sorts.append(sort)


def sorts_of(labels: Sequence[Any], *, people: bool = True) -> list[str]:
    """Return the sorts of further columns that leave no doubt beside some labels."""
    sorts = [*_OF_ITEMS, *_OF_ROWS, *_OF_NOBODY, *(_OF_ANNOTATORS if people else ())]
    if is_yes_or_no(labels):  # a topic beside them may be what was asked
        sorts.remove("attribute")
    return sorts


def frame(*columns: Sequence[Any], answer: Sequence[Any] | None = None) -> pd.DataFrame:
    """Return known answers as texts, without those that are missing."""
    names = ("item", "annotator", "label")
    cells = dict(zip(names, map(list, columns), strict=True))
    known = pd.DataFrame(cells, dtype=object)
    if answer is not None:
        known["answer"] = list(answer)
    known = known[known.notna().all(axis=1)]
    return known.map(str).reset_index(drop=True)


# Shapes


def add_item(
    sheet: Sheet, drawn: Study, sorts: list[str], *, once: bool = False
) -> tuple[str, list[Any]]:
    """Add the column of items, by names or by their texts."""
    items = len(drawn.truth)
    if once and not sheet.usual and "row" in sorts:  # which would name them as well
        sorts.remove("row")
    as_text = sheet.chance(0.12)
    column = sheet.name("text" if as_text else "item")
    names = texts(sheet, items) if as_text else item_names(sheet, items, column)
    if as_text:
        sorts.remove("text")
    values = names if once else [names[k] for k in drawn.item]
    sheet.columns[column] = values
    return column, values


def add_annotator(sheet: Sheet, drawn: Study) -> tuple[str, list[Any]]:
    """Add the column of annotators."""
    names = annotator_names(sheet, drawn.num_annotators)
    values = [names[k] for k in drawn.annotator]
    people = isinstance(names[0], str) and names[0] in _PEOPLE
    words = "name annotator_name Name" if people and sheet.chance(0.2) else ""
    return sheet.add("annotator", values, words=words), values


def finished(sheet: Sheet, shape: str, kind: str, **parts: Any) -> TidyTable:
    """Return the table with what is known of it."""
    table = sheet.table()
    names = "usual" if sheet.usual else "nonsense"
    commands = parts.pop("commands")
    if commands is not None and sheet.further:
        commands = {**commands, "exclude": sheet.further}
    columns = ", ".join(map(str, table.columns))
    further = ", ".join(sheet.sorts) or "none"
    said = f"{shape} {kind}, {len(table)} rows: {columns} (no answers: {further})"
    return TidyTable(
        table=table,
        kind=kind,
        shape=shape,
        names=names,
        commands=commands,
        description=said,
        **parts,
    )


def add_twin(sheet: Sheet, labels: Sequence[Any], drawn: Study) -> list[Any]:
    """Add a column that says the labels in another way: in codes, or in words."""
    others: list[Any] = [10 + k for k in range(len(labels))]
    words = "label_id label_code class_id code_num"
    if not isinstance(labels[0], str):
        others, words = _THEMES[4][0].split(), "label_name label_text class_name"
    values = [others[k] for k in drawn.label]
    sheet.further.append(sheet.add("label", values, words=words))
    sheet.sorts.append("twin")
    return values


def long_choice(sheet: Sheet) -> TidyTable:
    """Make a table of one row per answer, sometimes anonymous."""
    labels, words, ordered = label_values(sheet)
    if isinstance(labels[0], int) and sheet.chance(0.1) and words == "":
        labels = [-1, 0, 1]
    drawn = study(sheet, num_labels=len(labels), ordered=ordered)
    anonymous = sheet.chance(0.06)
    sorts = sorts_of(labels, people=not anonymous)
    item, items = add_item(sheet, drawn, sorts)
    values = [labels[k] for k in drawn.label]
    if sheet.chance(0.15):
        left = sheet.rng.random(len(values)) < 0.06
        values = [None if gone else v for v, gone in zip(values, left, strict=True)]
    commands = {"item": item, "kind": "choice", "format": "long"}
    people: list[Any] = ["-"] * len(items)
    if not anonymous:
        commands["annotator"], people = add_annotator(sheet, drawn)
    label = label_column(sheet, values, words)
    also: tuple[tuple[str, pd.DataFrame], ...] = ()
    if not ordered and not is_yes_or_no(labels) and None not in values:
        coded = add_twin(sheet, labels, drawn) if sheet.chance(0.15) else None
        also = () if coded is None else (("choice", frame(items, people, coded)),)
    add_further(
        sheet, sorts, drawn.item, labels, drawn.truth, annotator=drawn.annotator
    )
    return finished(
        sheet,
        "long",
        "choice",
        answers=frame(items, people, values),
        commands={**commands, "label": label},
        anonymous=anonymous,
        also=also,
    )


def composite(sheet: Sheet) -> TidyTable:
    """Make a table of which two columns name the items."""
    (words, stems) = sheet.one(_PAIRS)
    outer, inner, judged = words.split()
    rng, number = sheet.rng, int(sheet.rng.integers(5, 13))
    crossed = stems is None or stems[0] == "sys" or sheet.chance(0.5)
    each = int(rng.integers(3, 7))
    numbers = [rng.choice(8, each, replace=False) for _ in range(number)]
    if not crossed:
        numbers = [np.arange(k * each, (k + 1) * each) for k in range(number)]
    labels = sheet.one([[0, 1, 2, 3], [1, 2, 3, 4, 5], ["low", "medium", "high"]])
    themes = [labels for labels, names in _THEMES if judged in names.split()]
    labels = themes[0].split()[:3] if themes else labels
    drawn = study(sheet, num_labels=len(labels), ordered=True, pairs=number * each)
    second = np.concatenate(numbers)[drawn.item]
    firsts = item_names(sheet, number)
    if stems is not None:
        firsts = [f"{stems[1]}{k + 301}" for k in range(number)]
    lead = [firsts[k // each] for k in drawn.item]
    seconds = [f"{stems[0]}{k}" if stems else _ASPECTS[k] for k in second]
    sheet.add("item", lead, words=outer)
    part = sheet.add("asked", seconds, words=inner)
    annotator, people = add_annotator(sheet, drawn)
    values = [labels[k] for k in drawn.label]
    label = sheet.add("label", values, words=judged)
    sorts = [s for s in sorts_of(labels) if s not in {"text", "url", "attribute"}]
    add_further(
        sheet, sorts, drawn.item, labels, drawn.truth, annotator=drawn.annotator
    )
    pairs = [f"{one} | {other}" for one, other in zip(lead, seconds, strict=True)]
    commands = {"item": part, "annotator": annotator, "label": label}
    return finished(
        sheet,
        "composite" if crossed else "nested",
        "choice",
        answers=frame(pairs, people, values),
        commands=None if crossed else {**commands, "kind": "choice"},
        renamed=True,
    )


def pairs_of(sheet: Sheet, words: Sequence[Any]) -> tuple[Study, np.ndarray, list[str]]:
    """Draw answers about pairs of an item and a label: also which pair each is of."""
    labels, _ = sheet.one([_THEMES[k] for k in (2, 4, 5)])
    labels = labels.split()
    number, each = int(sheet.rng.integers(10, 41)), int(sheet.rng.integers(2, 4))
    drawn = study(sheet, num_labels=len(words), pairs=number * each)
    asked = [sheet.rng.choice(len(labels), each, replace=False) for _ in range(number)]
    pair = drawn.item
    drawn.item, drawn.truth = pair // each, drawn.truth[::each]
    return drawn, pair, [labels[k] for k in np.concatenate(asked)[pair]]


def meanings(sheet: Sheet) -> tuple[list[Any], dict[str, str]]:
    """Draw words for yes, no and sometimes maybe, and what they mean."""
    words = [w for w in sheet.one(_ANSWERS) if w is not None]
    words = words[: int(sheet.rng.integers(2, 4))]
    said = {str(w): m for w, m in zip(words, ("yes", "no", "maybe"), strict=False)}
    return words, said


def long_contains(sheet: Sheet) -> TidyTable:
    """Make a table of answers whether a label is there, sometimes anonymous."""
    words, said = meanings(sheet)
    drawn, _, asked = pairs_of(sheet, words)
    anonymous = sheet.chance(0.12) and isinstance(words[0], str)
    sorts = sorts_of([True, False], people=not anonymous)
    sorts = [sort for sort in sorts if sort not in {"gold", "model"}]
    item, items = add_item(sheet, drawn, sorts)
    label = sheet.add("asked", asked)
    commands = {"item": item, "label": label, "kind": "contains", "format": "long"}
    people: list[Any] = ["-"] * len(items)
    if not anonymous:
        commands["annotator"], people = add_annotator(sheet, drawn)
    values = [words[k] for k in drawn.label]
    commands["answer"] = sheet.add("answer", values)
    if isinstance(words[0], str):
        commands["answers"] = said
    add_further(sheet, sorts, drawn.item, words, drawn.truth, annotator=drawn.annotator)
    meant = [said[str(v)] for v in values]
    return finished(
        sheet,
        "long",
        "contains",
        answers=frame(items, people, asked, answer=meant),
        commands=commands,
        anonymous=anonymous,
    )


def pair_counts(sheet: Sheet) -> TidyTable:
    """Make a table of how many said yes, maybe and no to each pair."""
    words = ("yes", "no", "maybe")[: int(sheet.rng.integers(2, 4))]
    drawn, pair, asked = pairs_of(sheet, words)
    first = np.unique(pair, return_index=True)[1]
    sorts = ["text", "url", "split", "row", "empty", "constant"]
    whole, drawn.item = drawn.item, drawn.item[first]
    item, items = add_item(sheet, drawn, sorts)
    of_pairs = [asked[k] for k in first]
    label = sheet.add("asked", of_pairs)
    number = np.zeros((len(first), len(words)), int)
    np.add.at(number, (pair, drawn.label), 1)
    columns = dict(zip(words, number.T, strict=True))
    shown = sheet.usual and sheet.chance(0.4)
    if shown:
        columns = {f"n_{w}": n for w, n in columns.items() if w != "no"}
        columns["n_shown"] = number.sum(axis=1)
    elif sheet.usual and sheet.chance(0.4):
        columns = {f"n_{w}": n for w, n in columns.items()}
    for name, values in columns.items():
        sheet.add("count", values, words=name)
    add_further(sheet, sorts, drawn.item, words, drawn.truth, long=False)
    by_item = dict(zip(drawn.item, items, strict=True))
    known = frame(
        [by_item[k] for k in whole],
        ["-"] * len(whole),
        asked,
        answer=[words[k] for k in drawn.label],
    )
    commands = {"format": "counts", "item": item, "label": label}
    return finished(
        sheet,
        "pair counts",
        "contains",
        answers=known,
        commands=commands if shown else None,
        anonymous=True,
    )


def objects(sheet: Sheet) -> TidyTable:
    """Make a table of responses with several labels each, in rows or in one cell."""
    labels, _ = sheet.one([_THEMES[k] for k in (2, 4, 5, 9)])
    labels = labels.split()
    drawn = study(sheet, num_labels=len(labels))
    sorts = [sort for sort in sorts_of(labels) if sort not in {"gold", "model"}]
    second = sheet.rng.random(len(drawn.label)) < 0.45
    more = (drawn.label + sheet.rng.integers(1, len(labels), len(second))) % len(labels)
    told = [
        [labels[k], labels[m]] if two else [labels[k]]
        for k, m, two in zip(drawn.label, more, second, strict=True)
    ]
    shape, row = "lists", np.arange(len(told))
    if sheet.chance(0.5):
        shape, row = "long", np.repeat(row, [len(each) for each in told])
    drawn.item, drawn.annotator = drawn.item[row], drawn.annotator[row]
    item, items = add_item(sheet, drawn, sorts)
    annotator, people = add_annotator(sheet, drawn)
    commands: dict[str, Any] = {"item": item, "annotator": annotator, "kind": "objects"}
    each = [label for one in told for label in one]
    if shape == "lists":
        split = sheet.one(["|", ";", ", ", None, None])
        cells = [
            split.join(one)
            if split
            else "[" + ", ".join(f'"{label}"' for label in one) + "]"
            for one in told
        ]
        commands["label"] = sheet.add("labels", cells)
        commands |= {"split": split.strip()} if split else {}
        again = np.repeat(row, [len(one) for one in told])
        known = frame([items[k] for k in again], [people[k] for k in again], each)
    else:
        place = np.concatenate([np.arange(len(one)) + 1 for one in told])
        way = int(sheet.rng.integers(3))
        if way != 0:
            commands["object"] = sheet.add("object", place)
        if way != 1:
            ids = [f"r{k + 1000}" for k in sheet.rng.permutation(len(told))]
            column = [ids[k] for k in row]
            commands["response_id"] = sheet.add("response", column)
        commands["label"] = sheet.add("label", each)
        known = frame(items, people, each)
    add_further(
        sheet, sorts, drawn.item, labels, drawn.truth, annotator=drawn.annotator
    )
    return finished(sheet, shape, "objects", answers=known, commands=commands)


def wide_names(sheet: Sheet, number: int) -> list[str]:
    """Name the columns of annotators."""
    way = int(sheet.rng.integers(4))
    if not sheet.usual:
        names = [sheet.name("annotator") for _ in range(number)]
    elif way == 0:
        names = list(_PEOPLE[:number])
    elif way == 1:
        names = [f"{person}_label" for person in _PEOPLE[:number]]
    else:
        stem = sheet.one(_STEMS.split())
        names = [stem.format(k + 1) for k in range(number)]
    sheet.taken += [name.casefold() for name in names]
    return names


def wide(sheet: Sheet) -> TidyTable:
    """Make a table of items by annotators."""
    labels, _, ordered = label_values(sheet)
    drawn = study(sheet, num_labels=len(labels), ordered=ordered)
    if drawn.num_annotators > len(_PEOPLE):
        drawn.annotator, drawn.num_annotators = drawn.annotator % 12, 12
    pairs = np.stack([drawn.item, drawn.annotator], axis=1)
    first = np.sort(np.unique(pairs, axis=0, return_index=True)[1])
    items, people, codes = drawn.item[first], drawn.annotator[first], drawn.label[first]
    sorts = ["text", "url", "split", "gold", "attribute", "model", "row", "comment"]
    sorts += [*_OF_NOBODY]
    if is_yes_or_no(labels):
        sorts.remove("attribute")
    item, names = add_item(sheet, drawn, sorts, once=True)
    columns = wide_names(sheet, drawn.num_annotators)
    cells = np.full((len(names), len(columns)), None, object)
    for one, person, code in zip(items, people, codes, strict=True):
        cells[one, person] = labels[code]
    for k, name in enumerate(columns):
        sheet.columns[name] = cells[:, k].tolist()
    every = np.arange(len(names))
    add_further(sheet, sorts, every, labels, drawn.truth, long=False)
    known = frame(
        [names[k] for k in items],
        [columns[k] for k in people],
        [labels[k] for k in codes],
    )
    commands = {"format": "wide", "item": item, "annotator_columns": columns}
    return finished(sheet, "wide", "choice", answers=known, commands=commands)


def counts(sheet: Sheet) -> TidyTable:
    """Make a table of how many gave each label, in a matrix or in rows."""
    labels, words, ordered = label_values(sheet, least=3)
    matrix = sheet.chance(0.5)
    if matrix:
        labels, words = sheet.one(_THEMES)
        labels = [each.replace("_", " ") for each in labels.split()]
        if not sheet.usual:
            labels = [sheet.name("label") for _ in labels]
        ordered = False
    drawn = study(sheet, num_labels=len(labels), ordered=ordered)
    number = np.zeros((len(drawn.truth), len(labels)), int)
    np.add.at(number, (drawn.item, drawn.label), 1)
    whole, sorts = drawn.item, ["text", "url", "split", "gold", "attribute", "model"]
    sorts += ["row", *_OF_NOBODY]
    drawn.item, code = np.arange(len(number)), np.zeros(0, int)
    if not matrix:
        drawn.item, code = np.nonzero(number)
    item, names = add_item(sheet, drawn, sorts, once=matrix)
    commands = {"format": "counts", "item": item}
    if matrix:
        sheet.taken += [label.casefold() for label in labels]
        sheet.columns |= {x: number[:, k] for k, x in enumerate(labels)}
        if sheet.chance(0.2):
            sheet.further.append(sheet.add("total", number.sum(axis=1)))
            sheet.sorts.append("total")
    else:
        commands["label"] = label_column(sheet, [labels[k] for k in code], words)
        commands["n"] = sheet.add("count", number[drawn.item, code])
    add_further(sheet, sorts, drawn.item, labels, drawn.truth, long=False)
    by_item = dict(zip(drawn.item, names, strict=True))
    return finished(
        sheet,
        "matrix of counts" if matrix else "counts",
        "choice",
        answers=frame(
            [by_item[k] for k in whole],
            ["-"] * len(whole),
            [labels[k] for k in drawn.label],
        ),
        commands=commands,
        anonymous=True,
    )


def one_hot(sheet: Sheet) -> TidyTable:
    """Make a table with a column of flags for each label.

    Where several labels of a row may be picked, the answers are a yes or no to each;
    the picked ones as objects say the same.
    """
    labels, _ = sheet.one([_THEMES[k] for k in (2, 4, 5, 9)])
    labels = labels.split()
    if not sheet.usual:
        labels = [sheet.name("label") for _ in labels]
    sheet.taken += [label.casefold() for label in labels]
    drawn = study(sheet, num_labels=len(labels))
    sorts = [sort for sort in sorts_of(labels) if sort not in {"gold", "model"}]
    item, items = add_item(sheet, drawn, sorts)
    annotator, people = add_annotator(sheet, drawn)
    picked = np.arange(len(labels)) == drawn.label[:, None]
    several = sheet.chance(0.5)
    if several:
        picked |= sheet.rng.random(picked.shape) < 0.2
    yes, no = sheet.one([(1, 0), (True, False), ("yes", "no"), (1.0, 0.0)])
    for k, label in enumerate(labels):
        sheet.columns[label] = [yes if each else no for each in picked[:, k]]
    add_further(
        sheet, sorts, drawn.item, labels, drawn.truth, annotator=drawn.annotator
    )
    commands = {"item": item, "annotator": annotator, "one_hot": labels}
    row, code = np.nonzero(picked)
    one, who = [items[k] for k in row], [people[k] for k in row]
    known = frame(one, who, np.take(labels, code))
    if not several:
        commands["kind"] = "choice"
        return finished(sheet, "one-hot", "choice", answers=known, commands=commands)
    row, code = np.nonzero(np.ones_like(picked))
    said = np.where(picked[row, code], "yes", "no")
    one, who = [items[k] for k in row], [people[k] for k in row]
    whole = frame(one, who, np.take(labels, code), answer=said)
    return finished(
        sheet,
        "one-hot",
        "contains",
        answers=whole,
        commands=commands,
        also=(("objects", known),),
    )


_SHAPES = (
    *(long_choice,) * 8,
    *(long_contains,) * 4,
    *(composite,) * 2,
    *(objects,) * 3,
    *(wide,) * 4,
    *(counts,) * 2,
    pair_counts,
    one_hot,
)


def make(seed: int) -> TidyTable:
    """Draw a table; the same seed draws the same table."""
    rng = np.random.default_rng(seed)
    language = "en" if rng.random() < 0.5 else _LANGUAGES[rng.integers(6)]
    sheet = Sheet(
        rng=rng,
        usual=bool(rng.random() < 0.75),
        language=language,
        style=int(rng.integers(7)),
    )
    made: TidyTable = sheet.one(_SHAPES)(sheet)
    return made
