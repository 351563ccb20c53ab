"""The active loop: train, explore, label what was not known, and train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jobflow import Flow, Job, OutputReference, Response
from pydantic import BaseModel, ConfigDict, Field

from ..database.documents import CandidateDoc
from ..errors import as_clause
from ..potentials.training.records import Exploration, FrameSet, Student, TrainingRound
from ..runtime.maker import Maker
from ..runtime.timed_job import job
from .explore import ExploreMaker
from .label import LabelMaker
from .register_potential import RegisterPotentialMaker
from .train_potential import TrainPotentialMaker
from .validate_potential import ValidatePotentialMaker

_NAME = "active loop"


class ActiveLoopSettings(BaseModel):
    """What each round of the active loop does, and when the loop ends.

    Examples
    --------
    >>> ActiveLoopSettings(n_students=3).maximum_rounds
    6
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_students: int = Field(default=2, ge=2, le=4, description="members of the committee")
    maximum_rounds: int = Field(
        default=6, ge=1, description="trainings at most; a student that still fails then is rejected"
    )
    stable_ps: float = Field(
        default=200.0, gt=0, description="length that must pass without an event at every production temperature, in ps"
    )
    beyond_ratio: float = Field(
        default=1.2, gt=1, description="hottest exploration over the highest production temperature"
    )
    continued_epochs: int = Field(
        default=20, ge=1, description="passes over the training set in rounds after the first, at most"
    )
    continued_learning_rate: float = Field(
        default=0.005, gt=0, description="learning rate at the beginning of rounds after the first"
    )
    seed: int = Field(default=1, ge=0, description="seed of the first student; the others follow")


@dataclass
class ActiveLoopMaker(Maker):
    """Decide after each exploration: train on, explore the other temperatures, or validate.

    A round trains the members of the committee with different seeds, each from its last weights, and runs the first of
    them at the highest temperature and beyond. Frames before an event are labelled and added, and the next round
    begins. Where nothing happens, the other production temperatures follow; where nothing happens there either, the
    student is validated. After the last round it is validated and rejected.

    Parameters
    ----------
    name : str
        Name of the job that decides.
    temperatures_k : tuple of float
        Production temperatures in K.
    settings : ActiveLoopSettings
        When it ends.
    train : TrainPotentialMaker
        Trains a student.
    explore : ExploreMaker
        Runs a student under the watch of the committee.
    label : LabelMaker
        Labels new frames.
    validate : ValidatePotentialMaker
        Judges the last student.
    register : RegisterPotentialMaker
        Writes the model file and the document.
    """

    name: str = _NAME
    temperatures_k: tuple[float, ...] = (600.0, 1000.0)
    settings: ActiveLoopSettings = field(default_factory=ActiveLoopSettings)
    train: TrainPotentialMaker = field(default_factory=TrainPotentialMaker)
    explore: ExploreMaker = field(default_factory=ExploreMaker)
    label: LabelMaker = field(default_factory=LabelMaker)
    validate: ValidatePotentialMaker = field(default_factory=ValidatePotentialMaker)
    register: RegisterPotentialMaker = field(default_factory=RegisterPotentialMaker)

    def begin(
        self,
        candidates: Sequence[CandidateDoc | OutputReference],
        dataset: FrameSet | OutputReference,
        number: int = 0,
        earlier: Sequence[TrainingRound] = (),
    ) -> list[Job]:
        """Make the jobs of one round.

        Parameters
        ----------
        candidates : sequence of CandidateDoc or OutputReference
            The materials.
        dataset : FrameSet or OutputReference
            The labelled frames.
        number : int
            Number of the round.
        earlier : sequence of TrainingRound
            The rounds before it.

        Returns
        -------
        list of Job
            Trainings, explorations and the decision, which comes last.
        """
        trainer = self.train if number == 0 else self._continued_trainer()
        last = earlier[-1].students if earlier else ()
        trainings = []
        for member in range(self.settings.n_students):
            start = last[member] if last else None
            training = trainer.make(dataset, self.settings.seed + member, start)
            training.name = f"{self.train.name} round {number}, student {member + 1}"
            trainings.append(training)
        students = [training.output for training in trainings]
        hottest = max(self.temperatures_k)
        wanted = [(hottest, False), (self.settings.beyond_ratio * hottest, True)]
        jobs = self._explorations(candidates, students, dataset, wanted, number)
        decision = self.make(list(candidates), dataset, students, [run.output for run in jobs], number, list(earlier))
        decision.name = f"{_NAME} round {number}"
        return [*trainings, *jobs, decision]

    @job
    def make(
        self,
        candidates: Sequence[CandidateDoc],
        dataset: FrameSet,
        students: Sequence[Student],
        explorations: Sequence[Exploration],
        number: int,
        earlier: Sequence[TrainingRound],
    ) -> Response:
        """Decide what follows.

        Parameters
        ----------
        candidates : sequence of CandidateDoc
            The materials.
        dataset : FrameSet
            The labelled frames that the students were trained on.
        students : sequence of Student
            The committee.
        explorations : sequence of Exploration
            Its runs in this round.
        number : int
            Number of the round.
        earlier : sequence of TrainingRound
            The rounds before it.

        Returns
        -------
        Response
            The jobs that follow, the last of which gives the document of the potential.
        """
        events = [run for run in explorations if run.is_event]
        this = TrainingRound(
            number=number, n_frames=dataset.n_frames, students=tuple(students), explorations=tuple(explorations)
        )
        if not events:
            passed = {run.temperature_k for run in explorations}
            left = [(value, False) for value in sorted(self.temperatures_k, reverse=True) if value not in passed]
            if left:
                jobs = self._explorations(candidates, students, dataset, left, number)
                runs = [*explorations, *(one.output for one in jobs)]
                decision = self.make(list(candidates), dataset, list(students), runs, number, list(earlier))
                decision.name = f"{_NAME} round {number}, all temperatures"
                return _replaced([*jobs, decision])
            return self._ending(candidates, dataset, [*earlier, this], [])
        if number + 1 >= self.settings.maximum_rounds:
            return self._ending(candidates, dataset, [*earlier, this], [_why_rejected(run, number) for run in events])
        # Quiet runs have uncertain frames as well.
        new = [run.frames for run in explorations if run.frames is not None and not run.teacher_shows_it]
        labelling = self.label.make(new, dataset)
        labelling.name = f"{self.label.name} round {number + 1}"
        n_added = sum(one.n_frames for one in new)
        rounds = [*earlier, this.model_copy(update={"n_frames_added": n_added})]
        return _replaced([labelling, *self.begin(candidates, labelling.output, number + 1, rounds)])

    def _continued_trainer(self) -> TrainPotentialMaker:
        """Train on for fewer epochs and with smaller steps."""
        settings = self.train.settings
        changes = {
            "max_epochs": min(settings.max_epochs, self.settings.continued_epochs),
            "learning_rate": min(settings.learning_rate, self.settings.continued_learning_rate),
        }
        return replace(self.train, settings=settings.model_copy(update=changes))

    def _explorations(
        self,
        candidates: Sequence[CandidateDoc | OutputReference],
        students: Sequence[Student | OutputReference],
        dataset: FrameSet | OutputReference,
        wanted: Sequence[tuple[float, bool]],
        number: int,
    ) -> list[Job]:
        """Make the runs of all structures at some temperatures."""
        limits = self.explore.limits.model_copy(update={"duration_ps": self.settings.stable_ps})
        explore = replace(self.explore, limits=limits)
        jobs = []
        for place, candidate in enumerate(candidates):
            for temperature_k, is_beyond in wanted:
                run = explore.make(candidate, list(students), dataset, temperature_k, is_beyond, place)
                suffix = f", structure {place + 1}" if len(candidates) > 1 else ""
                run.name = f"{self.explore.name} {temperature_k:g} K round {number}{suffix}"
                jobs.append(run)
        return jobs

    def _ending(
        self,
        candidates: Sequence[CandidateDoc],
        dataset: FrameSet,
        rounds: Sequence[TrainingRound],
        reasons: Sequence[str],
    ) -> Response:
        """Validate and register the first student of the last round."""
        last = rounds[-1]
        validation = self.validate.make(
            candidates[0], last.students[0], dataset, list(last.explorations), list(reasons)
        )
        registration = self.register.make(list(candidates), last.students[0], dataset, list(rounds), validation.output)
        return _replaced([validation, registration])


def _replaced(jobs: Sequence[Job]) -> Response:
    return Response(replace=Flow(list(jobs), output=jobs[-1].output))


def _why_rejected(run: Exploration, number: int) -> str:
    why = as_clause(run.message) if run.message else run.stop_reason
    return (
        f"after {number + 1} rounds of training a run at {run.temperature_k:g} K still ended after "
        f"{run.completed_ps:.3g} of {run.requested_ps:g} ps ({run.stop_reason}: {why})"
    )
