"""Drives a server with the client that openapi-generator makes: drive.py API_URL MODEL_SERVER_URL."""

import sys
import time

import openapi_client as api
from openapi_client.exceptions import NotFoundException, UnauthorizedException, UnprocessableEntityException


def refused(error, call, *arguments):
    """The problem that a call is refused with."""
    try:
        answer = call(*arguments)
    except error as refusal:
        assert isinstance(refusal.data, api.Problem), refusal
        return refusal.data
    raise AssertionError(f"{error.__name__} expected: {answer}")


def sign_in(url):
    """Makes the first account; a client with the token of a session."""
    auth = api.AuthApi(api.ApiClient(api.Configuration(host=url)))
    assert auth.get_setup().required
    credentials = api.Credentials(username="ada", password="correct horse battery")
    auth.set_up(credentials)
    wrong = api.Credentials(username="ada", password="wrong horse battery")
    assert refused(UnauthorizedException, auth.log_in, wrong).status == 401
    token = auth.log_in(credentials).token
    client = api.ApiClient(api.Configuration(host=url, access_token=token))
    me = api.AuthApi(client).get_me()
    assert me.user.username == "ada" and me.user.is_admin and me.scope is api.CallerScope.ADMIN, me
    return client


def add_endpoint(client, url):
    """Registers the model server, and tries it."""
    endpoints = api.EndpointsApi(client)
    limits = api.EndpointLimits(concurrency=4)
    draft = api.EndpointDraft(label="fake", kind=api.EndpointKind.OPENAI, url=url, limits=limits)
    endpoint = endpoints.create_endpoint(draft)
    assert endpoint.limits.concurrency == 4 and endpoint.kind is api.EndpointKind.OPENAI, endpoint
    tried = endpoints.test_endpoint(endpoint.id)
    assert tried.ok and tried.models, tried


def draft_experiment(project):
    """An experiment of four configurations."""
    temperature = api.Dimension(type=api.DimensionType.FLOAT, low=0.0, high=0.5, step=0.5, target="say.temperature")
    return api.ExperimentDraft(
        project_id=project,
        name="echo",
        sample_data=[
            api.Sample(input="word-0", reference="word-0", meta={"lang": "en"}),
            api.Sample(input={"text": "word-1"}, reference="word-1"),
        ],
        pipeline_stages=[
            api.Stage(
                name="say",
                kind=api.StageKind.LLM,
                endpoint="fake",
                model="echo-1",
                prompt="{{ params.word }} {{ sample.input | json }}",
                parameters={"max_tokens": 16},
                response_format="text",
            )
        ],
        scoring_config=[api.ScoringEntry(scorer="exact_match", weight=2.0)],
        parameter_space={
            "word": api.Dimension(type=api.DimensionType.CHOICE, values=["Say", "Shout"]),
            "temperature": temperature,
        },
    )


def make_experiment(client):
    """Makes a project with an experiment, previews that and writes what was read of it back; its id."""
    experiments = api.ExperimentsApi(client)
    project = api.ProjectsApi(client).create_project(api.ProjectDraft(name="tests"))
    draft = draft_experiment(project.id)
    shown = experiments.preview_experiment(api.PreviewRequest(document=draft, call=True))
    assert shown.stages[0].output == "word-0", shown
    samples = experiments.import_samples(file=("words.csv", b"question,label\nword-0,word-0\n"))
    assert samples.count == 1 and samples.samples[0].reference == "word-0", samples
    assert samples.columns.input == "question", samples
    made = experiments.create_experiment(draft)
    stored = experiments.get_experiment(made.id)
    assert stored.sample_data.items[1].input == {"text": "word-1"}, stored
    draft.sample_data = stored.sample_data.items
    draft.pipeline_stages = stored.pipeline_stages
    draft.scoring_config = stored.scoring_config
    draft.parameter_space = stored.parameter_space
    assert experiments.update_experiment(made.id, draft).parameter_space == stored.parameter_space
    draft.pipeline_stages[0].prompt = "{{ nothing }}"
    problem = refused(UnprocessableEntityException, experiments.update_experiment, made.id, draft)
    assert problem.errors[0].pointer == "/pipeline_stages/0/prompt", problem
    return made.id


def run_sweep(client, experiment):
    """Starts a sweep and waits until it has completed."""
    sweeps = api.SweepsApi(client)
    dry = sweeps.start_sweep(experiment, api.SweepRequest(kind=api.SweepRequestKind.GRID, dry_run=True))
    assert isinstance(dry, api.DryRun) and dry.configurations == 4 and dry.calls == 8, dry
    request = api.SweepRequest(kind=api.SweepRequestKind.GRID, strategy=api.SweepStrategy(shuffle=True))
    sweep = sweeps.start_sweep(experiment, request, idempotency_key="sweep-1")
    assert isinstance(sweep, api.Sweep), sweep
    assert sweeps.start_sweep(experiment, request, idempotency_key="sweep-1").id == sweep.id
    end = time.monotonic() + 30
    while sweep.status is api.SweepStatus.RUNNING:
        assert time.monotonic() < end, sweep
        time.sleep(0.1)
        sweep = sweeps.get_sweep(sweep.id)
    assert sweep.status is api.SweepStatus.COMPLETED, sweep
    assert sweep.progress.total == 4 and sweep.best.score == 1.0, sweep


def read_results(client, experiment):
    """Reads the leaderboard, runs and events."""
    experiments, runs = api.ExperimentsApi(client), api.RunsApi(client)
    board = experiments.get_leaderboard(experiment, sort="-score")
    assert len(board.items) == 4 and board.items[0].scores["exact_match"] == 1.0, board
    filtered = experiments.get_leaderboard(experiment, values=["word=Shout", "temperature=0.5"])
    assert [row.values["word"] for row in filtered.items] == ["Shout"], filtered
    order = "-values.temperature"
    page = runs.list_runs(experiment, sort=order, limit=3)
    rest = runs.list_runs(experiment, sort=order, limit=3, cursor=page.next_cursor)
    assert len(page.items) == 3 and len(rest.items) == 1, rest
    run = runs.get_run(page.items[0].id)
    assert run.status is api.RunStatus.COMPLETED and run.samples.failed == 0, run
    result = run.stage_results.items[0]
    assert result.response_raw.startswith("word-") and result.prompt_sent[0]["role"] == "user", result
    wanted = api.RunRequest(experiment_id=experiment, values={"word": "Whisper"})
    single = runs.create_run(wanted, wait=20.0)
    assert single.values["word"] == "Whisper" and single.score == 1.0, single
    samples = runs.list_run_samples(single.id).items
    assert samples[1].input == {"text": "word-1"} and samples[1].scores[0].value == 1.0, samples
    events = api.EventsApi(client).list_experiment_events(experiment, type="run.completed")
    assert events.items[0].experiment_id == experiment, events


def export(client, experiment):
    """Takes the results along in every form."""
    exports = api.ExportsApi(client)
    best = exports.export_best(experiment)
    assert best["model"] == "echo-1" and best["score"] == 1.0, best
    assert "LLM_MODEL=echo-1" in exports.export_env(experiment)
    assert "model: echo-1" in exports.export_yaml(experiment)
    assert exports.export_report(experiment).startswith("# echo")
    table = exports.export_runs(experiment)
    assert table.startswith("run_id,") and table.count("\n") == 6, table
    assert exports.export_runs(experiment, format="jsonl").count("\n") == 5
    project = api.ExperimentsApi(client).get_experiment(experiment).project_id
    log = api.ProjectsApi(client).list_exports(project).items
    assert {entry.format for entry in log} == {"json", "env", "yaml", "report", "csv", "jsonl"}, log


def main(url, model_server):
    client = sign_in(url)
    add_endpoint(client, model_server)
    experiment = make_experiment(client)
    run_sweep(client, experiment)
    read_results(client, experiment)
    export(client, experiment)
    experiments = api.ExperimentsApi(client)
    experiments.delete_experiment(experiment)
    assert refused(NotFoundException, experiments.get_experiment, experiment).status == 404


main(*sys.argv[1:])
