use proptest::prelude::*;

use super::oracle::{oracle, sample, template};
use super::{Scope, Template};
use crate::value::Value;

fn params() -> Value {
    Value::from([
        ("tone", Value::from("dry")),
        ("shots", Value::List(vec![Value::from("a"), Value::from("b")])),
        ("brief", Value::from(true)),
        ("long", Value::from(false)),
        ("n", Value::from(-3_i64)),
        ("half", Value::number(0.5)),
        ("tag", Value::from("{{ x }} {% y %} {# z #} {")),
        ("names", Value::from([("en", Value::from("English")), ("no", Value::from("Norwegian"))])),
        ("maps", Value::List(vec![Value::from([("k", Value::from("v"))])])),
    ])
}

fn rest(source: &str) -> String {
    let params = params();
    let template = Template::parse(source).unwrap();
    template.render_partially(&Scope::new().with("params", &params)).source().to_owned()
}

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    for (source, expected) in rows {
        assert_eq!(rest(source), *expected, "{source}");
    }
}

#[test]
fn known_values_are_inserted() {
    check(&[
        ("Be {{ params.tone | upper }}: {{ sample.input }}", "Be DRY: {{ sample.input }}"),
        (
            "{% if params.brief %}Short.{% else %}Long.{% endif %} {{ sample.input }}",
            "Short. {{ sample.input }}",
        ),
        (
            "{% if params.long %}Long.{% elif sample.x %}x{% else %}-{% endif %}",
            "{% if sample.x %}x{% else %}-{% endif %}",
        ),
        (
            "{% if sample.x %}x{% elif params.brief %}b{% else %}-{% endif %}",
            "{% if sample.x %}x{% else %}b{% endif %}",
        ),
        ("{% if params.long and sample.x %}x{% endif %}{{ previous }}", "{{ previous }}"),
        ("{% if params.brief and sample.x %}x{% endif %}", "{% if sample.x %}x{% endif %}"),
        (
            "{% for s in params.shots %}{{ loop.index }}. {{ s }}{% if not loop.last %}, {% endif %}{% endfor %}",
            "1. a, 2. b",
        ),
        ("{% set t = params.tone %}{{ t }} {{ sample.input }}", "dry {{ sample.input }}"),
        (
            "{{ params.none_such | default(sample.x) }}{{ params.tone | default(sample.y) }}",
            "{{ sample.x }}dry",
        ),
        ("  {{- params.tone -}}  \n", "dry"),
    ]);
}

#[test]
fn unknown_names_stay() {
    check(&[
        ("{{ sample.meta.x | default(\"-\") }}", "{{ sample.meta.x | default(\"-\") }}"),
        ("{{- sample.input -}} {# as it is #}\n", "{{- sample.input -}} {# as it is #}\n"),
        (
            "{{ params.tone }}{% if sample.meta.x is defined %}{{ sample.meta.x | default(params.tone) }}{% endif %}",
            "dry{% if sample.meta.x is defined %}{{ sample.meta.x | default(\"dry\") }}{% endif %}",
        ),
        (
            "{% for t in sample.tags %}{{ loop.index }}{{ params.tone }}{{ t }}{% endfor %}",
            "{% for t in sample.tags %}{{ loop.index }}dry{{ t }}{% endfor %}",
        ),
        ("{{ sample.x in params.shots }}", "{{ sample.x in [\"a\", \"b\"] }}"),
        ("{{ params.shots[sample.i] | upper }}", "{{ [\"a\", \"b\"][sample.i] | upper }}"),
        ("{{ (sample.n < params.n) is defined }}", "{{ (sample.n < -3) is defined }}"),
        ("{{ not (sample.a or params.long) }}", "{{ not (sample.a or false) }}"),
        (
            "{{ sample.input | truncate(length=params.n, end='\n') }}",
            "{{ sample.input | truncate(length=-3, end=\"\\n\") }}",
        ),
    ]);
}

#[test]
fn values_without_a_literal_are_still_read() {
    check(&[
        ("{{ params.tone }}{{ params.names[sample.lang] }}", "dry{{ params.names[sample.lang] }}"),
        ("{% set m = params.names %}{{ m[sample.lang] }}", "{% set m = params.names %}{{ m[sample.lang] }}"),
        (
            "{% for m in params.maps %}{{ m[sample.k] }}{% endfor %}",
            "{% for m in [params.maps[0]] %}{{ m[sample.k] }}{% endfor %}",
        ),
        (
            "{% if sample.x %}{{ params.missing }}{% endif %}{{ params.n }}",
            "{% if sample.x %}{{ params.missing }}{% endif %}-3",
        ),
    ]);
}

#[test]
fn names_are_given_where_they_are_read() {
    check(&[
        ("{% set params = sample %}{{ params.tone }}", "{% set params = sample %}{{ params.tone }}"),
        (
            "{% set t = params.tone %}{% if sample.x %}{% set t = 'warm' %}{% endif %}{{ t }}",
            "{% set t = \"dry\" %}{% if sample.x %}{% set t = \"warm\" %}{% endif %}{{ t }}",
        ),
        (
            "{% for s in params.shots %}{% if sample.x %}{% set s = 'z' %}{% endif %}{{ s }}{% endfor %}",
            "{% for s in [\"a\"] %}{% if sample.x %}{% set s = \"z\" %}{% endif %}{{ s }}{% endfor %}\
             {% for s in [\"b\"] %}{% if sample.x %}{% set s = \"z\" %}{% endif %}{{ s }}{% endfor %}",
        ),
        ("{% for params in params.shots %}{{ params }}{% endfor %}{{ params.tone }}", "abdry"),
    ]);
}

#[test]
fn braces_of_values_are_no_tags() {
    check(&[
        ("{{ params.tag }}", "{{ \"{{\" }} x }} {{ \"{%\" }} y %} {{ \"{#\" }} z #} {"),
        (
            "{{ params.tag }}{{ sample.x }}",
            "{{ \"{{\" }} x }} {{ \"{%\" }} y %} {{ \"{#\" }} z #} {{ \"{\" }}{{ sample.x }}",
        ),
        ("{% raw %}{{ x }}{% endraw %}{{ params.tone }}{", "{{ \"{{\" }} x }}dry{"),
        ("{ {{- params.tone }}", "{dry"),
    ]);
}

#[test]
fn templates_that_would_grow_too_large_do_not_change() {
    let many = Value::from([("l", Value::List(vec![Value::from("x".repeat(1_000).as_str()); 1_000]))]);
    let source = "{% for a in p.l %}{% for b in p.l %}{{ b }}{% endfor %}{% endfor %}";
    let template = Template::parse(source).unwrap();
    assert_eq!(template.render_partially(&Scope::new().with("p", &many)).source(), source);
}

/// Names with the same structure: `p` and `s` have it, and so do the items of their `ps`.
fn shape() -> impl Strategy<Value = Value> {
    let text = || "[a-cA{}%# \n\"'\\\\-]{0,4}".prop_map(Value::from);
    let fields = move || {
        let list = proptest::collection::vec(text(), 0..3).prop_map(Value::List);
        let map = proptest::collection::btree_map("[ab]", text(), 0..3).prop_map(Value::Map);
        (text(), any::<bool>(), -2..3_i64, list, map).prop_map(|(t, b, n, l, m)| {
            let half = Value::number(n as f64 / 2.0);
            [("t", t), ("b", b.into()), ("n", n.into()), ("f", half), ("l", l), ("m", m)]
        })
    };
    let inner = fields().prop_map(Value::from);
    (fields(), proptest::collection::vec(inner, 0..3)).prop_map(|(fields, inner)| {
        let all = fields.into_iter().chain([("ps", Value::List(inner))]);
        Value::Map(all.map(|(name, value)| (name.to_owned(), value)).collect())
    })
}

/// An expression of a type, built from other types: `T`, `B`, `N` and `L` stand for a text, a condition, a number and
/// a list.
fn typed(kind: char) -> impl Strategy<Value = String> {
    let forms = |kind| -> Vec<&'static str> {
        match kind {
            'T' => vec![
                "p.t",
                "s.t",
                "p.t",
                "'a'",
                "\"{{ b\"",
                "x | default('-')",
                "y | default(T)",
                "T | upper",
                "T | trim",
                "T | default(T, B)",
                "p.zz | default(T)",
                "s.zz | default(T)",
                "L | join(T)",
                "L[N] | default(T)",
                "p.m.a | default(T)",
                "p.m[T] | default(T)",
                "s.m[T] | default('')",
                "N | string",
                "p.f | string",
                "T | replace('a', T)",
                "T | truncate(3, true, end='')",
                "m[T] | default(T)",
                "L | first | default(T)",
            ],
            'B' => vec![
                "p.b",
                "s.b",
                "p.b",
                "not B",
                "B and B",
                "B or B",
                "(B and B)",
                "T == T",
                "T in L",
                "T not in L",
                "N < N",
                "p.m.a is defined",
                "x is defined",
                "s.zz is not defined",
                "T in p.m",
                "L == L",
                "T",
                "L",
                "true",
            ],
            'N' => vec![
                "p.n",
                "s.n",
                "0",
                "1",
                "-1",
                "L | length",
                "T | length",
                "p.f | round",
                "p.n | default(N)",
            ],
            _ => vec!["p.l", "s.l", "p.l", "[T, T]", "L | sort", "L | unique", "[]", "p.zz | default(L)"],
        }
    };
    let forms = move |kind, deep: bool| {
        let fits = move |form: &&str| deep || !form.contains(['T', 'B', 'N', 'L']);
        forms(kind).into_iter().filter(fits).collect::<Vec<_>>()
    };
    proptest::collection::vec(any::<prop::sample::Index>(), 24).prop_map(move |choices| {
        let mut text = kind.to_string();
        let mut choices = choices.into_iter();
        for step in 0.. {
            let (Some(at), Some(choice)) = (text.find(['T', 'B', 'N', 'L']), choices.next()) else { break };
            let forms = forms(char::from(text.as_bytes()[at]), step < 6);
            let form: &&str = choice.get(&forms);
            text.replace_range(at..=at, form);
        }
        // Replaces what is still open at the depth limit.
        text.replace('T', "p.t").replace('B', "p.b").replace('N', "p.n").replace('L', "p.l")
    })
}

fn typed_template() -> impl Strategy<Value = String> {
    let tag = |open: &'static str, kind, close: &'static str| {
        typed(kind).prop_map(move |expr| format!("{open}{expr}{close}"))
    };
    let leaf = prop_oneof![
        2 => "[ab {\n]{0,3}",
        4 => tag("{{ ", 'T', " }}"),
        1 => tag("{{- ", 'B', " and true -}}"),
        2 => tag("{% set x = ", 'T', " %}"),
        2 => tag("{% set y = ", 'T', " %}"),
        1 => Just("{% set m = p.m %}".to_owned()),
        1 => Just("{% set p = s %}".to_owned()),
        1 => "[a{}%# ]{0,4}".prop_map(|text| format!("{{% raw %}}{text}{{% endraw %}}")),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        let several = || proptest::collection::vec(inner.clone(), 0..4).prop_map(|parts| parts.concat());
        let turns = |turn: &'static str| several().prop_map(move |body| format!("{turn}{body}{{% endfor %}}"));
        prop_oneof![
            2 => several(),
            2 => (typed('B'), several(), several())
                .prop_map(|(c, a, b)| format!("{{% if {c} %}}{a}{{% else %}}{b}{{% endif %}}")),
            1 => (typed('B'), several(), typed('B'), several())
                .prop_map(|(c, a, d, b)| format!("{{%- if {c} -%}}{a}{{% elif {d} %}}{b}{{% endif %}}")),
            2 => (typed('L'), several()).prop_map(|(list, body)| {
                format!("{{% for x in {list} %}}{{{{ loop.index }}}}{body}{{% if loop.last %}}!{{% endif %}}{{% endfor %}}")
            }),
            1 => turns("{% for p in p.ps %}"),
            1 => turns("{% for p in s.ps %}"),
        ]
    })
}

/// Checks that the remaining template, rendered with the other names, gives the same as the whole template with all
/// names.
fn rest_gives_the_same(source: &str, params: &Value, sample: &Value) -> Result<(), TestCaseError> {
    let Ok(template) = Template::parse(source) else { return Ok(()) };
    let known = Scope::new().with("p", params);
    let Ok(whole) = template.render(&known.clone().with("s", sample)) else { return Ok(()) };
    let rest = template.render_partially(&known);
    // Maps have no literal, so a template that uses a whole map still reads it.
    let asks = rest.references().iter().any(|read| read.path[0] == "p");
    let names: &[_] = if asks { &[("p", params), ("s", sample)] } else { &[("s", sample)] };
    let scope = names.iter().fold(Scope::new(), |scope, (name, value)| scope.with(name, value));
    prop_assert_eq!(rest.render(&scope), Ok(whole.clone()), "{:?} left {:?}", source, rest.source());
    match oracle(rest.source(), names) {
        Ok(theirs) => prop_assert_eq!(theirs, whole, "{:?} left {:?}", source, rest.source()),
        Err(error) => prop_assert!(false, "{source:?} left {:?}: there {error:#}", rest.source()),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn the_rest_renders_what_the_whole_does(
        parts in proptest::collection::vec(typed_template(), 1..4),
        params in shape(),
        sample in shape(),
    ) {
        rest_gives_the_same(&parts.concat(), &params, &sample)?;
    }

    #[test]
    fn the_rest_of_any_template_renders_what_the_whole_does(
        source in template(),
        params in sample(),
        sample in sample(),
    ) {
        // The same with known and unknown names exchanged.
        rest_gives_the_same(&source, &params, &sample)?;
        rest_gives_the_same(&source.replace("s.", "p."), &params, &sample)?;
        rest_gives_the_same(&source.replacen("s.", "p.", 1), &params, &sample)?;
    }
}
