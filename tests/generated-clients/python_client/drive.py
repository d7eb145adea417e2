"""Drives a server with the client that openapi-python-client makes: drive.py API_URL MODEL_SERVER_URL."""

import io
import sys
import time
from http import HTTPStatus
from uuid import UUID

from prompt_looper_client import AuthenticatedClient, Client
from prompt_looper_client.api.auth import get_me, get_setup, log_in, set_up
from prompt_looper_client.api.endpoints import create_endpoint, test_endpoint
from prompt_looper_client.api.events import list_experiment_events
from prompt_looper_client.api.experiments import (
    create_experiment,
    delete_experiment,
    get_experiment,
    get_leaderboard,
    import_samples,
    preview_experiment,
    update_experiment,
)
from prompt_looper_client.api.exports import export_best, export_env, export_report, export_runs, export_yaml
from prompt_looper_client.api.projects import create_project, list_exports
from prompt_looper_client.api.runs import create_run, get_run, list_run_samples, list_runs
from prompt_looper_client.api.sweeps import get_sweep, start_sweep
from prompt_looper_client.models import (
    Credentials,
    Dimension,
    DimensionType,
    EndpointDraft,
    EndpointKind,
    EndpointLimits,
    ExperimentDraft,
    ExperimentDraftParameterSpace,
    ExportRunsFormat,
    ListExperimentEventsType,
    PreviewRequest,
    ProjectDraft,
    RunRequest,
    RunRequestValues,
    RunStatus,
    Sample,
    SampleMeta,
    SampleUpload,
    ScoringEntry,
    Stage,
    StageKind,
    StageParameters,
    SweepRequest,
    SweepRequestKind,
    SweepStatus,
    SweepStrategy,
)
from prompt_looper_client.types import File


def parsed(response, status):
    """What an answer holds, which must have this status and be understood."""
    assert response.status_code == status, response.content
    assert response.parsed is not None or status == HTTPStatus.NO_CONTENT, response.content
    return response.parsed


def sign_in(url):
    """Makes the first account; a client with the token of a session."""
    anyone = Client(base_url=url)
    assert parsed(get_setup.sync_detailed(client=anyone), HTTPStatus.OK).required
    credentials = Credentials(username="ada", password="correct horse battery")
    parsed(set_up.sync_detailed(client=anyone, body=credentials), HTTPStatus.CREATED)
    wrong = Credentials(username="ada", password="wrong horse battery")
    problem = parsed(log_in.sync_detailed(client=anyone, body=wrong), HTTPStatus.UNAUTHORIZED)
    assert problem.status == 401 and problem.detail, problem
    session = parsed(log_in.sync_detailed(client=anyone, body=credentials), HTTPStatus.OK)
    client = AuthenticatedClient(base_url=url, token=session.token)
    me = parsed(get_me.sync_detailed(client=client), HTTPStatus.OK)
    assert me.user.username == "ada" and me.user.is_admin and me.scope == "admin", me
    return client


def add_endpoint(client, url):
    """Registers the model server, and tries it."""
    draft = EndpointDraft(label="fake", kind=EndpointKind.OPENAI, url=url, limits=EndpointLimits(concurrency=4))
    endpoint = parsed(create_endpoint.sync_detailed(client=client, body=draft), HTTPStatus.CREATED)
    assert endpoint.limits.concurrency == 4 and endpoint.kind is EndpointKind.OPENAI, endpoint
    tried = parsed(test_endpoint.sync_detailed(endpoint.id, client=client), HTTPStatus.OK)
    assert tried.ok and tried.models, tried


def draft_experiment(project: UUID):
    """An experiment of four configurations."""
    meta = SampleMeta.from_dict({"lang": "en"})
    return ExperimentDraft(
        project_id=project,
        name="echo",
        sample_data=[
            Sample(input_="word-0", reference="word-0", meta=meta),
            Sample(input_={"text": "word-1"}, reference="word-1"),
        ],
        pipeline_stages=[
            Stage(
                name="say",
                kind=StageKind.LLM,
                endpoint="fake",
                model="echo-1",
                prompt="{{ params.word }} {{ sample.input | json }}",
                parameters=StageParameters.from_dict({"max_tokens": 16}),
                response_format="text",
            )
        ],
        scoring_config=[ScoringEntry(scorer="exact_match", weight=2.0)],
        parameter_space=ExperimentDraftParameterSpace.from_dict(
            {
                "word": Dimension(type_=DimensionType.CHOICE, values=["Say", "Shout"]).to_dict(),
                "temperature": Dimension(
                    type_=DimensionType.FLOAT, low=0.0, high=0.5, step=0.5, target="say.temperature"
                ).to_dict(),
            }
        ),
    )


def make_experiment(client):
    """Makes a project with an experiment, previews that and writes what was read of it back; its id."""
    project = parsed(create_project.sync_detailed(client=client, body=ProjectDraft(name="tests")), HTTPStatus.CREATED)
    draft = draft_experiment(project.id)
    shown = parsed(
        preview_experiment.sync_detailed(client=client, body=PreviewRequest(document=draft, call=True)), HTTPStatus.OK
    )
    assert shown.stages[0].output == "word-0", shown
    file = File(payload=io.BytesIO(b"question,label\nword-0,word-0\n"), file_name="words.csv")
    samples = parsed(import_samples.sync_detailed(client=client, body=SampleUpload(file=file)), HTTPStatus.OK)
    assert samples.count == 1 and samples.samples[0].reference == "word-0", samples
    assert samples.columns.input_ == "question", samples
    made = parsed(create_experiment.sync_detailed(client=client, body=draft), HTTPStatus.CREATED)
    stored = parsed(get_experiment.sync_detailed(made.id, client=client), HTTPStatus.OK)
    assert stored.sample_data.items[1].input_ == {"text": "word-1"}, stored
    draft.sample_data = stored.sample_data.items
    draft.pipeline_stages = stored.pipeline_stages
    draft.scoring_config = stored.scoring_config
    draft.parameter_space = ExperimentDraftParameterSpace.from_dict(stored.parameter_space.to_dict())
    parsed(update_experiment.sync_detailed(made.id, client=client, body=draft), HTTPStatus.OK)
    draft.pipeline_stages[0].prompt = "{{ nothing }}"
    problem = parsed(
        update_experiment.sync_detailed(made.id, client=client, body=draft), HTTPStatus.UNPROCESSABLE_ENTITY
    )
    assert problem.errors[0].pointer == "/pipeline_stages/0/prompt", problem
    return made.id


def run_sweep(client, experiment):
    """Starts a sweep and waits until it has completed."""
    estimate = SweepRequest(kind=SweepRequestKind.GRID, dry_run=True)
    dry = parsed(start_sweep.sync_detailed(experiment, client=client, body=estimate), HTTPStatus.OK)
    assert dry.configurations == 4 and dry.calls == 8, dry
    request = SweepRequest(kind=SweepRequestKind.GRID, strategy=SweepStrategy(shuffle=True))
    start = {"client": client, "body": request, "idempotency_key": "sweep-1"}
    sweep = parsed(start_sweep.sync_detailed(experiment, **start), HTTPStatus.ACCEPTED)
    again = parsed(start_sweep.sync_detailed(experiment, **start), HTTPStatus.ACCEPTED)
    assert again.id == sweep.id, again
    end = time.monotonic() + 30
    while sweep.status is SweepStatus.RUNNING:
        assert time.monotonic() < end, sweep
        time.sleep(0.1)
        sweep = parsed(get_sweep.sync_detailed(sweep.id, client=client), HTTPStatus.OK)
    assert sweep.status is SweepStatus.COMPLETED and sweep.progress.total == 4 and sweep.best.score == 1.0, sweep


def read_results(client, experiment):
    """Reads the leaderboard, runs and events."""
    board = parsed(get_leaderboard.sync_detailed(experiment, client=client, sort="-score"), HTTPStatus.OK)
    assert len(board.items) == 4 and board.items[0].scores["exact_match"] == 1.0, board
    only = ["word=Shout", "temperature=0.5"]
    filtered = parsed(get_leaderboard.sync_detailed(experiment, client=client, values=only), HTTPStatus.OK)
    assert [row.values["word"] for row in filtered.items] == ["Shout"], filtered
    order = "-values.temperature"
    page = parsed(list_runs.sync_detailed(experiment, client=client, sort=order, limit=3), HTTPStatus.OK)
    following = list_runs.sync_detailed(experiment, client=client, sort=order, limit=3, cursor=page.next_cursor)
    rest = parsed(following, HTTPStatus.OK)
    assert len(page.items) == 3 and len(rest.items) == 1, rest
    run = parsed(get_run.sync_detailed(page.items[0].id, client=client), HTTPStatus.OK)
    assert run.status is RunStatus.COMPLETED and run.samples.failed == 0, run
    assert run.stage_results.items[0].response_raw.startswith("word-"), run
    assert run.stage_results.items[0].prompt_sent[0]["role"] == "user", run
    wanted = RunRequest(experiment_id=experiment, values=RunRequestValues.from_dict({"word": "Whisper"}))
    single = parsed(create_run.sync_detailed(client=client, body=wanted, wait=20.0), HTTPStatus.OK)
    assert single.values["word"] == "Whisper" and single.score == 1.0, single
    samples = parsed(list_run_samples.sync_detailed(single.id, client=client), HTTPStatus.OK).items
    assert samples[1].input_ == {"text": "word-1"} and samples[1].scores[0].value == 1.0, samples
    kind = ListExperimentEventsType.RUN_COMPLETED
    events = list_experiment_events.sync_detailed(experiment, client=client, type_=kind)
    assert parsed(events, HTTPStatus.OK).items[0].experiment_id == experiment


def export(client, experiment):
    """Takes the results along in every form."""
    best = parsed(export_best.sync_detailed(experiment, client=client), HTTPStatus.OK)
    assert best["model"] == "echo-1" and best["score"] == 1.0, best
    assert "LLM_MODEL=echo-1" in parsed(export_env.sync_detailed(experiment, client=client), HTTPStatus.OK)
    assert "model: echo-1" in parsed(export_yaml.sync_detailed(experiment, client=client), HTTPStatus.OK)
    assert parsed(export_report.sync_detailed(experiment, client=client), HTTPStatus.OK).startswith("# echo")
    table = parsed(export_runs.sync_detailed(experiment, client=client), HTTPStatus.OK)
    assert table.startswith("run_id,") and table.count("\n") == 6, table
    lines = export_runs.sync_detailed(experiment, client=client, format_=ExportRunsFormat.JSONL)
    assert parsed(lines, HTTPStatus.OK).count("\n") == 5, lines
    project = parsed(get_experiment.sync_detailed(experiment, client=client), HTTPStatus.OK).project_id
    log = parsed(list_exports.sync_detailed(project, client=client), HTTPStatus.OK).items
    assert {entry.format_ for entry in log} == {"json", "env", "yaml", "report", "csv", "jsonl"}, log


def main(url, model_server):
    client = sign_in(url)
    add_endpoint(client, model_server)
    experiment = make_experiment(client)
    run_sweep(client, experiment)
    read_results(client, experiment)
    export(client, experiment)
    parsed(delete_experiment.sync_detailed(experiment, client=client), HTTPStatus.NO_CONTENT)
    parsed(get_experiment.sync_detailed(experiment, client=client), HTTPStatus.NOT_FOUND)


main(*sys.argv[1:])
