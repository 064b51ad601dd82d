"""One way to open an ONNX model for an ear."""

from pathlib import Path

import onnxruntime as ort

from harken.errors import HarkenError


def open_model(
    source: Path | bytes, remedy: str, *, weights: Path | None = None, threads: int = 1
) -> ort.InferenceSession:
    """An inference session on the CPU; a broken file is a `HarkenError` that ends with `remedy`.

    source: the graph as a file or as bytes. weights: the folder of its external weights, which a
    graph given as bytes cannot find by itself.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what fails is raised, not printed
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if weights is not None:
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(weights)
        )
    try:
        return ort.InferenceSession(
            str(source) if isinstance(source, Path) else source,
            options,
            providers=["CPUExecutionProvider"],
        )
    except Exception as broken:
        first = str(broken).splitlines()[0][:160]
        what = source if isinstance(source, Path) else f"the graph of {weights}"
        raise HarkenError(f"{what} cannot be loaded ({first}); {remedy}") from broken
