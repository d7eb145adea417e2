//! Tests that minijinja renders every template that we accept in the same way.

use minijinja::value::{Kwargs, Rest};
use minijinja::{Environment, UndefinedBehavior};
use proptest::prelude::*;

use super::{Scope, Template};
use crate::value::Value;

type Theirs = minijinja::Value;

fn theirs(value: &Value) -> Theirs {
    match value {
        Value::Null => Theirs::from(()),
        Value::Bool(flag) => Theirs::from(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Theirs::from(whole),
            (None, Some(whole)) => Theirs::from(whole),
            (None, None) => Theirs::from(number.as_f64()),
        },
        Value::Text(text) => Theirs::from(text.as_str()),
        Value::List(items) => items.iter().map(theirs).collect(),
        Value::Map(map) => map.iter().map(|(name, value)| (name.as_str(), theirs(value))).collect(),
    }
}

fn ours(value: &Theirs) -> Value {
    if value.is_none() {
        return Value::Null;
    }
    match value.kind() {
        minijinja::value::ValueKind::Bool => Value::Bool(value.is_true()),
        minijinja::value::ValueKind::Number => i64::try_from(value.clone())
            .map(Value::from)
            .or_else(|_| u64::try_from(value.clone()).map(Value::from))
            .unwrap_or_else(|_| Value::number(f64::try_from(value.clone()).unwrap())),
        minijinja::value::ValueKind::String => Value::from(value.as_str().unwrap()),
        minijinja::value::ValueKind::Map => {
            let fields = value.try_iter().unwrap();
            Value::Map(
                fields
                    .map(|name| (name.as_str().unwrap().to_owned(), ours(&value.get_item(&name).unwrap())))
                    .collect(),
            )
        }
        _ => Value::List(value.try_iter().unwrap().map(|item| ours(&item)).collect()),
    }
}

/// minijinja's own filter takes arguments only by name.
#[expect(clippy::needless_pass_by_value, reason = "filters are called this way")]
fn truncate(
    state: &minijinja::State<'_, '_>,
    value: &Theirs,
    arguments: Rest<Theirs>,
) -> Result<Theirs, minijinja::Error> {
    let names = ["length", "killwords", "end", "leeway"];
    let mut given: Vec<(&str, Theirs)> = Vec::new();
    for (name, argument) in names.into_iter().zip(arguments.iter()) {
        if let Ok(named) = Kwargs::try_from(argument.clone()) {
            for name in named.args() {
                given.push((names.into_iter().find(|known| known == &name).unwrap(), named.get(name)?));
            }
        } else {
            given.push((name, argument.clone()));
        }
    }
    minijinja_contrib::filters::truncate(state, value, given.into_iter().collect())
}

/// Null as empty text, the only intended difference.
#[expect(clippy::needless_pass_by_value, reason = "filters are called this way")]
fn text(value: Theirs) -> String {
    shown(&value)
}

fn shown(value: &Theirs) -> String {
    if value.is_none() { String::new() } else { value.to_string() }
}

#[expect(clippy::needless_pass_by_value, reason = "filters are called this way")]
fn join(value: Theirs, separator: Option<String>) -> Result<String, minijinja::Error> {
    let items: Vec<String> = value.try_iter()?.map(|item| shown(&item)).collect();
    Ok(items.join(&separator.unwrap_or_default()))
}

/// The text that minijinja renders.
pub(super) fn oracle(source: &str, names: &[(&str, &Value)]) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_keep_trailing_newline(true);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_filter("json", |value: Theirs| ours(&value).canonical());
    environment.add_filter("truncate", truncate);
    environment.add_filter("string", text);
    environment.add_filter("join", join);
    environment.set_formatter(|out, state, value| {
        if value.is_none() { Ok(()) } else { minijinja::escape_formatter(out, state, value) }
    });
    let context: Theirs = names.iter().map(|(name, value)| (*name, theirs(value))).collect();
    environment.render_str(source, context)
}

/// Checks that minijinja renders the same, if our renderer accepts the template.
fn agree(source: &str, sample: &Value) -> Result<(), TestCaseError> {
    let Ok(template) = Template::parse(source) else { return Ok(()) };
    let Ok(text) = template.render(&Scope::new().with("s", sample)) else { return Ok(()) };
    match oracle(source, &[("s", sample)]) {
        Ok(theirs) => prop_assert_eq!(text, theirs, "{}", source),
        Err(error) => prop_assert!(false, "{source:?} rendered {text:?}, there {error:#}"),
    }
    Ok(())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-20..20_i64).prop_map(Value::from),
        (-40..40_i64).prop_map(|n| Value::number(n as f64 / 8.0)),
        "[ a-cA-Cé\n{}%-]{0,12}".prop_map(|text| Value::from(text.as_str())),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            proptest::collection::btree_map("[abc]", inner, 0..4).prop_map(Value::Map),
        ]
    })
}

pub(super) fn sample() -> impl Strategy<Value = Value> {
    let texts = proptest::collection::vec("[a-cA-C]{0,3}".prop_map(|t| Value::from(t.as_str())), 0..4);
    (value(), value(), value(), texts).prop_map(|(a, b, c, d)| {
        Value::from([
            ("a", a),
            ("b", b),
            ("c", c),
            ("d", Value::List(d)),
            ("t", Value::from("Some text, twice: text")),
        ])
    })
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("s.a".to_owned()),
        Just("s.b".to_owned()),
        Just("s.c.a".to_owned()),
        Just("s.d".to_owned()),
        Just("s.t".to_owned()),
        Just("s.zz".to_owned()),
        Just("x".to_owned()),
        Just("loop.index".to_owned()),
        Just("loop.last".to_owned()),
        Just("'a b\\n'".to_owned()),
        Just("\"c\"".to_owned()),
        (-3..12_i32).prop_map(|n| n.to_string()),
        Just("2.5".to_owned()),
        Just("1.0".to_owned()),
        prop_oneof![Just("true"), Just("False"), Just("none")].prop_map(str::to_owned),
    ];
    let filter = prop_oneof![
        Just("default('dd')"),
        Just("default('dd', true)"),
        Just("default"),
        Just("join"),
        Just("join('-')"),
        Just("json"),
        Just("length"),
        Just("lower"),
        Just("upper"),
        Just("trim"),
        Just("title"),
        Just("replace('t', 'TT')"),
        Just("replace('', '.')"),
        Just("truncate(6)"),
        Just("truncate(length=5, killwords=true, leeway=0)"),
        Just("truncate(9, true, end='')"),
        Just("first"),
        Just("last"),
        Just("sort"),
        Just("unique"),
        Just("indent"),
        Just("indent(2, true)"),
        Just("indent(width=1, blank=true)"),
        Just("round"),
        Just("round(1)"),
        Just("string"),
    ];
    leaf.prop_recursive(3, 16, 3, move |inner| {
        let operator = prop_oneof![
            Just("=="),
            Just("!="),
            Just("<"),
            Just("<="),
            Just(">"),
            Just(">="),
            Just("and"),
            Just("or"),
            Just("in"),
            Just("not in"),
        ];
        prop_oneof![
            4 => (inner.clone(), filter.clone()).prop_map(|(of, filter)| format!("{of} | {filter}")),
            2 => (inner.clone(), operator, inner.clone()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
            1 => inner.clone().prop_map(|of| format!("not {of}")),
            1 => inner.clone().prop_map(|of| format!("({of})")),
            1 => inner.clone().prop_map(|of| format!("{of} is defined")),
            1 => inner.clone().prop_map(|of| format!("{of} is not defined")),
            1 => (inner.clone(), inner.clone()).prop_map(|(of, index)| format!("{of}[{index}]")),
            1 => inner.clone().prop_map(|of| format!("{of}.a")),
            1 => proptest::collection::vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
        ]
    })
}

pub(super) fn template() -> impl Strategy<Value = String> {
    let dash = || prop_oneof![4 => Just(""), 1 => Just("-")];
    let leaf = prop_oneof![
        2 => "[ab\n {}%#-]{0,6}",
        4 => (expression(), dash(), dash()).prop_map(|(expr, l, r)| format!("{{{{{l} {expr} {r}}}}}")),
        1 => expression().prop_map(|expr| format!("{{% set x = {expr} %}}")),
        1 => "[a {}%]{0,5}".prop_map(|text| format!("{{% raw -%}}{text}{{%- endraw %}}")),
        1 => Just(" {#- {{ no }} -#} ".to_owned()),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let several = proptest::collection::vec(inner, 0..4).prop_map(|parts| parts.concat());
        prop_oneof![
            3 => several.clone(),
            1 => (expression(), several.clone(), several.clone())
                .prop_map(|(c, a, b)| format!("{{% if {c} %}}{a}{{% else %}}{b}{{% endif %}}")),
            1 => (expression(), several.clone(), expression(), several.clone())
                .prop_map(|(c, a, d, b)| format!("{{%- if {c} -%}}{a}{{% elif {d} %}}{b}{{% endif %}}")),
            1 => (expression(), several).prop_map(|(list, body)| format!("{{% for x in {list} %}}{body}{{% endfor -%}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_renders_the_same(source in template(), sample in sample()) {
        agree(&source, &sample)?;
    }

    #[test]
    fn soup_that_is_accepted_renders_the_same(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("{{"), Just("}}"), Just("{%"), Just("%}"), Just("{#"), Just("#}"), Just("-"), Just(" "), Just("\n"),
                Just("s.a"), Just("s.t"), Just("s"), Just(".d"), Just("'q'"), Just("\""), Just("|"), Just("trim"),
                Just("if"), Just("else"), Just("endif"), Just("for"), Just("in"), Just("x"), Just("endfor"), Just("set"),
                Just("="), Just("1"), Just("raw"), Just("endraw"), Just("("), Just(")"), Just("["), Just("]"), Just(","),
                Just("not"), Just("is"), Just("defined"), Just("é"), Just("."),
            ],
            0..14,
        ),
        sample in sample(),
    ) {
        agree(&parts.concat(), &sample)?;
    }
}
