# ruff: noqa: RUF001 - words of other scripts
"""Words that name columns less usually: other languages, single letters, people.

A column of a usual name (`names`) is taken at its word. One of these names is taken
only where what the column holds agrees, and results say that it was assumed.
"""

import re
from collections.abc import Sequence

from consilience.responses.columns.names import USUAL, plain

_ENDING = re.compile(
    r"(?:id|ids|uuid|guid|nr|no|num|nummer|number|key|index|idx|name)$"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLED = re.compile(r"(?:dr|prof|mr|mrs|ms|herr|frau)\b\.? \S", re.IGNORECASE)

LIKELY = {
    "item": _words(
        """
        q quest item items task tasks hit image images img photo foto picture
        pic scan slide case page post tweet message msg utterance turn dialog
        dialogue conversation paragraph passage snippet clip video audio
        recording segment frame tile patch region object specimen sample probe
        entity mention pair review title article news sentence sent text texts
        doc document url link filename file path record observation stimulus
        trial prompt input clause excerpt thread ticket comment email mail letter
        essay track song tune word term unit rec beleg vorgang datensatz abschnitt
        claim statement product query bild bilder bilddatei
        datei dokument satz frage aufgabe fall objekt aufnahme beitrag nachricht
        seite aussage fichier texte phrase tache question objet cas enonce
        imagen archivo texto frase tarea pregunta objeto caso documento mensaje
        imagem arquivo tarefa pergunta mensagem immagine testo domanda compito
        oggetto afbeelding tekst vraag taak zin bestand obraz zdjecie pytanie
        zadanie zdanie изображение картинка текст вопрос задание объект документ
        """
    ),
    "annotator": _words(
        """
        annotator annotators annotatedby labelby taggedby labeledby labelledby
        ratedby codedby reviewedby answeredby createdby submittedby completedby
        markedby by who whom worker turker crowdworker rater ratername judge
        coder codername labeler labeller tagger scorer grader marker evaluator
        voter handle assessor reviewer reader observer viewer listener inspector auditor
        examiner expert specialist
        doctor physician radiologist pathologist clinician nurse student
        volunteer contributor member person people participant subject
        respondent user username login email author analyst agent team initials
        nick nickname player source rid aid wid wer nutzer benutzer bearbeiter
        annotatorin bewerter beurteiler kodierer codierer kodiererin gutachter
        gutachterin pruefer prüfer prüferin pruefende befunder arzt aerztin ärztin
        teilnehmer
        teilnehmerin proband probandin vp mitarbeiter studentin kuerzel kürzel
        annotateur annotatrice evaluateur évaluateur codeur juge utilisateur
        lecteur médecin medecin qui anotador anotadora evaluador evaluadora
        codificador juez usuario usuaria participante revisor médico medico
        quien quién avaliador avaliadora juiz usuário quem annotatore valutatore
        giudice utente partecipante chi beoordelaar gebruiker deelnemer wie
        oceniający oceniajacy uzytkownik użytkownik kto разметчик аннотатор
        эксперт пользователь асессор кто
        """
    ),
    "label": _words(
        """
        label labels labelname lbl class cls klass category tag tags code coding
        choice chosen option opinion rating rate score grade mark stars verdict
        decision judgement judgment assessment evaluation annotation response
        answer selection vote value result finding findings diagnosis diagnose
        sentiment polarity stance emotion mood tone level intent topic genre theme type
        species
        relevance severity quality said says etikett klasse kategorie
        einschätzung einschaetzung zuordnung antwort
        bewertung urteil befund note wertung einstufung einordnung ergebnis wahl
        entscheidung stimmung meinung auspraegung art étiquette etiquette classe
        catégorie categorie réponse reponse jugement avis choix décision
        etiqueta clase categoría categoria respuesta valoración valoracion
        calificación calificacion decisión juicio voto resposta avaliação
        avaliacao nota decisão etichetta risposta valutazione giudizio antwoord
        oordeel beoordeling keuze etykieta klasa kategoria odpowiedz odpowiedź
        ocena метка класс категория ответ оценка
        """
    ),
}
"""Words for each role; a name of one and an ending such as *id* counts as well."""

TRUTH = _words(
    """
        gold goldlabel golden goldstandard truth true truelabel groundtruth gt
        target correct correctlabel correctanswer reference ref referencelabel
        referenz actual expected solution answerkey majority majorityvote
        majoritylabel mv consensus consensuslabel final finallabel finaldecision
        adjudicated adjudication adjudicatedlabel adjudicator aggregated
        aggregate aggregatedlabel resolved agreed agreedlabel label class
        category oracle musterloesung musterlösung wahrheit konsens mehrheit
        endergebnis verite vérité mayoria mayoría verdad consenso referencia
        maioria verdade эталон истина
        """
)
"""Names of columns beside those of annotators that hold the truth, or what was made
of the answers."""

_PEOPLE = _words(
    """
        ada adam adrian agnes ahmed aisha alan alba albert alejandro alex
        alexander alexandra alfred ali alice alina amara amelia amir amy ana
        anastasia anders andre andrea andreas andrew angela anita anke ann anna
        anne annika anton antonio arthur astrid aylin barbara beate beatriz ben
        benjamin bernd bert bettina bill birgit bjorn bob boris brian bruno
        camille carl carla carlos carmen carol caroline catherine cem chantal
        charles charlie charlotte chen chiara chloe chris christian christina
        christine christoph claire clara claudia colin cynthia daisy dan dana
        daniel daniela dave david deborah denis diana diego dieter dimitri dirk
        dmitri dora doris dorothea ed eddie edith edward elena elias elif
        elisabeth elizabeth ella ellen elsa emil emilia emily emma eric erik
        esther eva eve fabian fatima felix fernando fiona flora florian
        francesca francois frank franz fred frederik frida fritz gabriel
        gabriela george georg gerd gina giulia giovanni gloria grace greg greta
        hanna hannah hans harald harry heidi heike heinz helen helena helga
        henri henrik henry hugo ian ida igor ilse ines ingo ingrid irene iris
        isabel isabella ivan ivy jack jacob jakob james jan jana jane janet
        jasmin javier jean jeff jenny jens jerome jessica jim joan joao joe joel
        johan johanna johannes john jonas jonathan jorge jose josef joseph juan
        judith judy julia julian julie jun karen karin karl karla katarina kate
        katharina katherine kathrin katie katja keiko kemal ken kevin kim klaus
        kurt lara lars laura lea lena leo leon leonie li lili lily linda lisa
        louis louise luca lucas lucia lucy luigi luis luisa lukas luke lydia
        maja malte manfred manuel mara marc marco maren margaret maria marie
        marina mario mark marlene marta martin martina mary mateo mathias matt
        matteo matthew matthias max maya mehmet mei meike mia michael michelle
        miguel mike mila milan mira miriam mohamed monica monika nadia nadine
        nancy natalia natalie nathan nele nick nico nicole niels nils nina noah
        noor nora norbert olaf ole oleg olga oliver olivia omar oscar oskar otto
        pablo pamela pascal patricia patrick paul paula pedro peggy peter petra
        philip philipp pia pierre rachel rafael rahul ralf ravi rebecca regina
        rene ricardo richard rita robert robin roland rolf roman ron rosa rose
        ruben ruth ryan sabine sally sam samira samuel sandra sara sarah sasha
        sebastian selin sergio silke silvia simon simone sofia sofie sonia
        sophia sophie stefan stefanie stella stephan steve steven susan susanne
        sven svenja tamara tanja tara ted teresa theo theresa thomas tim timo
        tina tobias tom tomas tony tracy uli ulrike ursula ute uwe valentina
        vera veronika victor victoria viktor vincent volker walter wei wendy
        werner will william wolfgang xavier xin yan yara yuki yusuf yvonne
        zeynep zoe
        """
)
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.]+|[A-ZÄÖÜ]{2,3}|[A-ZÄÖÜ]\.? ?[A-ZÄÖÜ]\.?"
)


def likely(names: Sequence[str], role: str) -> list[str]:
    """Return the columns that may be named for a role."""
    return [name for name in names if is_likely(name, role)]


def is_likely(name: str, role: str) -> bool:
    """Say whether a column may be named for a role, by the name or its last word."""
    name = re.sub(r"(?i)\W?[/*:_(]in(?:nen)?\)?$", "", name)  # Prüfer/in, Prüfer*in
    last = re.split(r"[\W_]+|(?<=[a-z])(?=[A-Z])", name.rstrip("._- "))[-1]
    return is_likely_whole(name, role) or is_likely_whole(last, role)


def is_likely_whole(name: str, role: str) -> bool:
    """Say whether a whole name, but for an ending such as *id*, may be of a role."""
    word = plain(name)
    short = _ENDING.sub("", word)
    return word in USUAL[role] or not {word, short}.isdisjoint(LIKELY[role])


def is_truth(name: str) -> bool:
    """Say whether a column is named for the truth, or for what answers made of it."""
    return plain(name) in TRUTH or plain(name) in USUAL["gold"]


def are_people(names: Sequence[str]) -> bool:
    """Say whether names are those of people: most are given names, or all initials."""
    if all(_PERSONAL.fullmatch(name) or _TITLED.match(name) for name in names):
        return True
    parts = [re.split(r"[\W_\d]+", name.casefold()) for name in names]
    people = sum(any(part in _PEOPLE for part in each) for each in parts)
    return people > len(names) / 2
