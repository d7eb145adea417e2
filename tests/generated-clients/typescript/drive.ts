/** Drives a server with openapi-fetch and the types that openapi-typescript makes: drive.js API_URL MODEL_SERVER_URL. */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];
type Api = Client<paths>;

type Answer<Data> = { data?: Data; error?: unknown; response: Response };

/** What an answer holds, which must have this status. */
async function taken<Data>(answer: Promise<Answer<Data>>, status: number): Promise<NonNullable<Data>> {
  const { data, error, response } = await answer;
  assert.equal(response.status, status, JSON.stringify(error));
  assert.ok(data !== undefined && data !== null);
  return data;
}

/** The problem that a request is refused with, which must have this status. */
async function refused(
  answer: Promise<{ error?: Schemas["Problem"]; response: Response }>,
  status: number,
): Promise<Schemas["Problem"]> {
  const { error, response } = await answer;
  assert.equal(response.status, status);
  assert.ok(error);
  assert.equal(error.status, status);
  return error;
}

/** Makes the first account; a client with the token of a session. */
async function signIn(baseUrl: string): Promise<Api> {
  const anyone = createClient<paths>({ baseUrl });
  assert.ok((await taken(anyone.GET("/auth/setup"), 200)).required);
  const body = { username: "ada", password: "correct horse battery" };
  await taken(anyone.POST("/auth/setup", { body }), 201);
  await refused(anyone.POST("/auth/login", { body: { ...body, password: "wrong horse battery" } }), 401);
  const { token } = await taken(anyone.POST("/auth/login", { body }), 200);
  const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
  const me = await taken(client.GET("/auth/me"), 200);
  assert.deepEqual([me.user?.username, me.user?.is_admin, me.scope], ["ada", true, "admin"]);
  return client;
}

/** Registers the model server, and tries it. */
async function addEndpoint(client: Api, url: string) {
  const body: Schemas["EndpointDraft"] = { label: "fake", kind: "openai", url, limits: { concurrency: 4 } };
  const endpoint = await taken(client.POST("/endpoints", { body }), 201);
  assert.equal(endpoint.limits.concurrency, 4);
  const path = { id: endpoint.id };
  assert.ok((await taken(client.POST("/endpoints/{id}/test", { params: { path } }), 200)).ok);
}

/** An experiment of four configurations. */
function draftExperiment(project: string): Schemas["ExperimentDraft"] {
  return {
    project_id: project,
    name: "echo",
    sample_data: [
      { input: "word-0", reference: "word-0", meta: { lang: "en" } },
      { input: { text: "word-1" }, reference: "word-1" },
    ],
    pipeline_stages: [
      {
        name: "say",
        kind: "llm",
        endpoint: "fake",
        model: "echo-1",
        prompt: "{{ params.word }} {{ sample.input | json }}",
        parameters: { max_tokens: 16 },
        response_format: "text",
      },
    ],
    scoring_config: [{ scorer: "exact_match", weight: 2 }],
    parameter_space: {
      word: { type: "choice", values: ["Say", "Shout"] },
      temperature: { type: "float", low: 0, high: 0.5, step: 0.5, target: "say.temperature" },
    },
  };
}

/** Makes a project with an experiment, previews that and writes what was read of it back; its id. */
async function makeExperiment(client: Api): Promise<string> {
  const project = await taken(client.POST("/projects", { body: { name: "tests" } }), 201);
  const document = draftExperiment(project.id);
  const shown = await taken(client.POST("/experiments/preview", { body: { document, call: true } }), 200);
  assert.equal(shown.stages[0]?.output, "word-0");
  const file = "question,label\nword-0,word-0\n";
  const bodySerializer = (form: { file: string }) => {
    const data = new FormData();
    data.append("file", new Blob([form.file]), "words.csv");
    return data;
  };
  const samples = await taken(client.POST("/samples/import", { body: { file }, bodySerializer }), 200);
  assert.deepEqual([samples.count, samples.samples[0]?.reference, samples.columns.input], [1, "word-0", "question"]);
  const { id } = await taken(client.POST("/experiments", { body: document }), 201);
  const params = { path: { id } };
  const stored = await taken(client.GET("/experiments/{id}", { params }), 200);
  assert.deepEqual(stored.sample_data.items[1]?.input, { text: "word-1" });
  const { parameter_space, pipeline_stages, scoring_config } = stored;
  const body = {
    ...document,
    parameter_space,
    pipeline_stages,
    sample_data: stored.sample_data.items,
    scoring_config,
  };
  await taken(client.PUT("/experiments/{id}", { params, body }), 200);
  const wrong = { ...body, pipeline_stages: pipeline_stages.map((stage) => ({ ...stage, prompt: "{{ nothing }}" })) };
  const problem = await refused(client.PUT("/experiments/{id}", { params, body: wrong }), 422);
  assert.equal(problem.errors?.[0]?.pointer, "/pipeline_stages/0/prompt");
  return id;
}

/** Starts a sweep and waits until it has completed. */
async function runSweep(client: Api, experiment: string) {
  const path = { id: experiment };
  const estimate = client.POST("/experiments/{id}/sweep", { params: { path }, body: { kind: "grid", dry_run: true } });
  const dry = await taken(estimate, 200);
  assert.ok("configurations" in dry && dry.configurations === 4 && dry.calls === 8);
  const options = {
    params: { path, header: { "Idempotency-Key": "sweep-1" } },
    body: { kind: "grid" as const, strategy: { shuffle: true } },
  };
  const started = await taken(client.POST("/experiments/{id}/sweep", options), 202);
  const again = await taken(client.POST("/experiments/{id}/sweep", options), 202);
  assert.ok("id" in started && "id" in again && started.id === again.id);
  let sweep: Schemas["Sweep"] = started;
  for (const end = Date.now() + 30_000; sweep.status === "running"; await pause(100)) {
    assert.ok(Date.now() < end, JSON.stringify(sweep));
    sweep = await taken(client.GET("/sweeps/{id}", { params: { path: { id: started.id } } }), 200);
  }
  assert.deepEqual([sweep.status, sweep.progress.total, sweep.best?.score], ["completed", 4, 1]);
}

/** Reads the leaderboard, runs and events. */
async function readResults(client: Api, experiment: string) {
  const path = { id: experiment };
  const leaderboard = (query: paths["/experiments/{id}/leaderboard"]["get"]["parameters"]["query"]) =>
    taken(client.GET("/experiments/{id}/leaderboard", { params: query ? { path, query } : { path } }), 200);
  const board = await leaderboard({ sort: "-score" });
  assert.deepEqual([board.items.length, board.items[0]?.scores.exact_match], [4, 1]);
  const filtered = await leaderboard({ values: ["word=Shout", "temperature=0.5"] });
  assert.deepEqual(filtered.items.map(({ values }) => values.word), ["Shout"]);
  const runs = (query: { sort: string; limit: number; cursor?: string }) =>
    taken(client.GET("/experiments/{id}/runs", { params: { path, query } }), 200);
  const order = { sort: "-values.temperature", limit: 3 };
  const page = await runs(order);
  assert.ok(page.items[0] && page.next_cursor);
  assert.equal((await runs({ ...order, cursor: page.next_cursor })).items.length, 1);
  const run = await taken(client.GET("/runs/{id}", { params: { path: { id: page.items[0].id } } }), 200);
  assert.deepEqual([run.status, run.samples.failed], ["completed", 0]);
  assert.match(run.stage_results.items[0]?.response_raw ?? "", /^word-/);
  const wanted = { params: { query: { wait: 20 } }, body: { experiment_id: experiment, values: { word: "Whisper" } } };
  const single = await taken(client.POST("/runs", wanted), 200);
  assert.deepEqual([single.values.word, single.score], ["Whisper", 1]);
  const ofSingle = { params: { path: { id: single.id } } };
  const samples = (await taken(client.GET("/runs/{id}/samples", ofSingle), 200)).items;
  assert.deepEqual([samples[1]?.input, samples[1]?.scores[0]?.value], [{ text: "word-1" }, 1]);
  const ended = { path, query: { type: "run.completed" as const } };
  const events = await taken(client.GET("/experiments/{id}/events", { params: ended }), 200);
  assert.equal(events.items[0]?.experiment_id, experiment);
}

/** Takes the results along in every form. */
async function takeAlong(client: Api, experiment: string) {
  const params = { path: { id: experiment } };
  const parseAs = "text";
  const best = await taken(client.GET("/experiments/{id}/export/best", { params }), 200);
  assert.deepEqual([best.model, best.score], ["echo-1", 1]);
  assert.match(await taken(client.GET("/experiments/{id}/export/env", { params, parseAs }), 200), /LLM_MODEL=echo-1/);
  assert.match(await taken(client.GET("/experiments/{id}/export/yaml", { params, parseAs }), 200), /model: echo-1/);
  assert.match(await taken(client.GET("/experiments/{id}/export/report", { params, parseAs }), 200), /^# echo/);
  const table = await taken(client.GET("/experiments/{id}/export/runs", { params, parseAs }), 200);
  assert.ok(table.startsWith("run_id,") && table.split("\n").length === 7, table);
  const asLines = { ...params, query: { format: "jsonl" as const } };
  const lines = await taken(client.GET("/experiments/{id}/export/runs", { params: asLines, parseAs }), 200);
  assert.equal(lines.split("\n").length, 6);
  const { project_id } = await taken(client.GET("/experiments/{id}", { params }), 200);
  const log = await taken(client.GET("/projects/{id}/exports", { params: { path: { id: project_id } } }), 200);
  assert.deepEqual(log.items.map(({ format }) => format).sort(), ["csv", "env", "json", "jsonl", "report", "yaml"]);
}

const [url, modelServer] = process.argv.slice(2);
assert.ok(url && modelServer);
const client = await signIn(url);
await addEndpoint(client, modelServer);
const experiment = await makeExperiment(client);
await runSweep(client, experiment);
await readResults(client, experiment);
await takeAlong(client, experiment);
const params = { path: { id: experiment } };
assert.equal((await client.DELETE("/experiments/{id}", { params })).response.status, 204);
await refused(client.GET("/experiments/{id}", { params }), 404);
