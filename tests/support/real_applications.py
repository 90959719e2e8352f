"""Applications from the package index, filled by their own code: optuna and mlflow.

Each is imported where it is installed, and nothing of it is part of the project.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RealApplication:
    """An application: what makes its tables, what fills them, and what reads them again.

    ``make`` and ``fill`` take a database's URL, ``read`` as well, and returns what the application
    knows; ``base`` gives its declarative base.
    """

    package: str
    base: Callable[[], Any]
    make: Callable[[str], None]
    fill: Callable[[str], None]
    read: Callable[[str], Any]


# optuna: studies and trials, with values that are no numbers


def optuna_base() -> Any:
    from optuna.storages._rdb import models

    return models.BaseModel


def optuna_storage(url: str) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.storages.RDBStorage(url)


def optuna_fill(url: str) -> None:
    import optuna

    def objective(trial: Any) -> float:
        x = trial.suggest_float("x", -10, 10)
        trial.suggest_categorical("c", ["a", "b", None])
        for step in range(4):
            trial.report(
                [float("nan"), float("inf"), x, 0.1 + 0.2][(trial.number + step) % 4], step
            )
        trial.set_user_attr("who", {"n": trial.number, "ü": [1.5, None]})
        if trial.number % 6 == 5:
            raise optuna.TrialPruned
        return float(x**2 + trial.suggest_int("y", 0, 9))

    stored = optuna_storage(url)
    study = optuna.create_study(study_name="first ü", storage=stored)
    study.set_user_attr("dataset", "mnist")
    study.optimize(objective, n_trials=15)
    two = optuna.create_study(study_name="two", storage=stored, directions=["minimize", "maximize"])
    two.enqueue_trial({"x": 1.0})
    two.optimize(lambda trial: (trial.suggest_float("x", 1e-5, 1e-1, log=True), 1), n_trials=4)
    gone = optuna.create_study(study_name="gone", storage=stored)
    gone.optimize(objective, n_trials=2)
    optuna.delete_study(study_name="gone", storage=stored)


def optuna_read(url: str) -> Any:
    import optuna

    study = optuna.load_study(study_name="first ü", storage=optuna_storage(url))
    trials = [(trial.params, repr(trial.intermediate_values)) for trial in study.trials]
    return study.user_attrs, study.best_trial._trial_id, trials


def optuna_make(url: str) -> None:
    optuna_storage(url)


# mlflow: 64 tables, some of whose keys have floats, and secrets


def mlflow_base() -> Any:
    import mlflow.store.tracking.dbmodels.models  # noqa: F401 (it maps them)
    from mlflow.store.db.base_sql_model import Base

    return Base


def mlflow_client(url: str) -> Any:
    from mlflow.tracking import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    return MlflowClient(url, url)


def mlflow_make(url: str) -> None:
    mlflow_client(url).search_experiments()


def mlflow_fill(url: str) -> None:
    ours = mlflow_client(url)
    for number in range(3):
        experiment = ours.create_experiment(f"exp {number} ü", tags={"team": "a"})
        for name in ("one", "two"):
            run = ours.create_run(experiment, run_name=name, tags={"k": "v" * 30}).info.run_id
            values = [0.1 + 0.2, float("nan"), float("inf"), -0.0, 1e300]
            for step, value in enumerate(values):
                ours.log_metric(run, "loss", value, step=step)
            ours.log_param(run, "long", "ß" * 200)
            ours.set_tag(run, "note", "line\nline")
            ours.set_terminated(run, "FAILED" if name == "two" else "FINISHED")
    ours.delete_experiment(experiment)
    for name in ("m0", "m1"):
        ours.create_registered_model(name, tags={"a": "b"}, description="text")
        for version in range(3):
            ours.create_model_version(name, source="/src", tags={"v": str(version)})
        ours.set_registered_model_alias(name, "champion", 2)
    ours.delete_model_version("m1", "3")


def mlflow_read(url: str) -> Any:
    ours = mlflow_client(url)
    experiments = ours.search_experiments(view_type=3)
    runs = [ours.search_runs([experiment.experiment_id]) for experiment in experiments]
    values = [
        [(run.info.run_id, run.data.params, repr(run.data.metrics)) for run in some]
        for some in runs
    ]
    return values, ours.get_model_version_by_alias("m0", "champion").version


#: Whoever asks for these tests, which take minutes, sets the variable.
IS_ASKED = bool(os.environ.get("LADING_APPLICATIONS"))
APPLICATIONS = {
    application.package: application
    for application in (
        RealApplication("optuna", optuna_base, optuna_make, optuna_fill, optuna_read),
        RealApplication("mlflow", mlflow_base, mlflow_make, mlflow_fill, mlflow_read),
    )
}
