use super::*;

fn read(text: &str) -> Result<StageDraft, Vec<Problem>> {
    serde_saphyr::from_str::<StageDocument>(text).unwrap().into_draft()
}

#[test]
fn a_stage_has_the_fields_of_its_kind() {
    for (stage, wrong) in [
        ("{name: a, kind: llm, prompt: x}", &[][..]),
        ("{name: a, kind: llm}", &[("/prompt", "missing")]),
        ("{name: a, kind: llm, prompt: x, top_k: 3}", &[("/top_k", "unexpected_field")]),
        ("{name: a, kind: chunk, chunk_size: 3, unit: words}", &[]),
        ("{name: a, kind: chunk, prompt: x}", &[("/prompt", "unexpected_field"), ("/chunk_size", "missing")]),
        ("{name: a, kind: retrieve, from: b, top_k: 3, model: m}", &[]),
        ("{name: a, kind: retrieve}", &[("/from", "missing"), ("/top_k", "missing")]),
        ("{name: a, kind: http, url: 'http://h'}", &[]),
        ("{name: a, kind: http, prompt: x}", &[("/prompt", "unexpected_field"), ("/url", "missing")]),
        ("{name: a, kind: llm, prompt: x, headers: {a: b}}", &[("/headers", "unexpected_field")]),
    ] {
        let problems = read(stage).err().unwrap_or_default();
        let found: Vec<_> = problems.iter().map(|problem| (problem.pointer.as_str(), problem.code)).collect();
        assert_eq!(found, wrong, "{stage}");
    }
}

#[test]
fn stages_survive_the_way_into_a_draft_and_back() {
    for text in [
        "{name: a, kind: llm, prompt: x, system: s, parameters: {temperature: 0.5}, extra: {k: 1}}",
        "{name: a, kind: llm, prompt: x, response_format: {json_schema: {type: object}, strict: false}}",
        "{name: a, kind: chunk, input: documents, unit: words, chunk_size: 200, chunk_overlap: 20}",
        "{name: a, kind: retrieve, from: b, query: q, endpoint: e, model: m, top_k: 3}",
        "{name: a, kind: http, url: u, headers: {k: v}, body: {q: '{{ previous }}'}, output: /a, timeout_s: 5, cache: false}",
        "{name: a, kind: http, url: u, body: q}",
    ] {
        let document: StageDocument = serde_saphyr::from_str(text).unwrap();
        let draft = document.clone().into_draft().unwrap();
        assert_eq!(StageDocument::of_draft(&draft), document, "{text}");
    }
}

#[test]
fn unknown_kinds_are_refused() {
    let stage = serde_saphyr::from_str::<StageDocument>("{name: a, kind: rerank}").unwrap_err();
    assert!(stage.to_string().contains("llm"), "{stage}");
}
