"""Mistakes about our own voice in the microphone, counted."""

from harken.evals.own_voice import Heard, own_voice_figures, remark_figures


def test_figures_count_mistakes_over_the_time_of_our_voice_and_remarks_that_cut() -> None:
    sessions = [
        Heard(1800.0, ("Paris.",), ((9, "Yes."), (20, "No.")), (), (), ""),
        Heard(1800.0, ("Rome.",), (), (30,), (), ""),
    ]
    figures = own_voice_figures(sessions)
    assert figures["replies to its own voice per hour"].value == 2
    assert figures["stops untold per hour"].value == 1
    told = [Heard(9.0, ("A.", "B."), ((52, "Yes."),), (12,), (10, 50), "")]
    figures = remark_figures(told)
    assert figures["stopped"].value == 0.5 and figures["answered"].value == 0.5
    assert figures["stopped"].n == 2
