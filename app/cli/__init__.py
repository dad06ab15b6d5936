"""The command line: Typer commands over `core`; the window's own launcher is `app.launch`."""

from collections.abc import Callable

import typer

from . import bench, demo, doctor, projects, radiomics, results, review, training

app = typer.Typer(
    name="longtail",
    help="Imbalanced medical images: label a few, train, see whom the model fails. "
    "`longtail [PROJECT]` opens the window. Research use only, not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
TABLE: dict[str, Callable[..., None]] = {
    "demo": demo.demo,
    "init": projects.init,
    "import": projects.import_,
    "info": projects.info,
    "methods": training.methods,
    "train": training.train,
    "runs": training.runs,
    "predict": results.predict,
    "evaluate": results.evaluate,
    "export": results.export,
    "radiomics": radiomics.radiomics,
    "review": review.review,
    "audit": review.audit,
    "doctor": doctor.doctor,
}
GROUPS: dict[str, typer.Typer] = {"bench": bench.app}
for _name, _command in TABLE.items():
    app.command(_name)(_command)
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)
