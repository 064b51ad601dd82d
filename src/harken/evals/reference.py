"""The same sentences and questions as text to the decoder alone: how far a session could get."""

from collections.abc import Sequence

from harken.evals.metrics import Figure, share
from harken.evals.plain_decoder import PlainDecoder
from harken.evals.streams import Case
from harken.evals.suite import holds_answer, translated
from harken.soundflow.studio import Studio
from harken.soundflow.texts import is_chinese


def figures(cases: Sequence[Case], decoder: PlainDecoder, split: str) -> dict[str, Figure]:
    """chrF and BLEU of translations and the share of answers with the key words, given true texts.

    Every sentence counts as often as it is due, as in the figures of sessions; as its translation
    is always the same, intervals draw sentences.
    """
    source = _source_texts(split)
    wanted = [
        (d.cause, d.text, source[d.cause, d.text])
        for case in cases
        for d in case.due
        if (d.cause, d.text) in source
    ]
    said = {
        (cause, text): decoder.translated(text, "zh" if is_chinese(reference) else "en")
        if cause == "translation"
        else decoder.answered(text)
        for cause, reference, text in set(wanted)
    }
    found = translated([(t, ref, said[c, t]) for c, ref, t in wanted if c == "translation"])
    asked = [(ref, text) for cause, ref, text in wanted if cause == "question"]
    right = [holds_answer(said["question", text], ref, text) for ref, text in asked]
    answered = share(right, [text for _, text in asked])
    return found | {"answers with the reference's key words": answered}


def _source_texts(split: str) -> dict[tuple[str, str], str]:
    """What was truly said, by the cause and text of the response that is due to it."""
    studio = Studio(split)
    causes = {"sentence": "translation", "question": "question"}
    return {
        (cause, spoken.other): spoken.text
        for kind, cause in causes.items()
        for language in ("en", "zh")
        for spoken in studio.all_spoken(kind, language)
        if spoken.other
    }
